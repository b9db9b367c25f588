// How many authorities are satisfied by different signers? A maximum matching (Kuhn's algorithm), so that one signer
// never counts for two authorities and re-signing never counts twice.

/**
 * The size of the largest set of authorities that have pairwise distinct signers.
 * @param signers for each authority the identifiers of the signers that satisfy it
 */
export function countDistinctAuthorities(signers: readonly (readonly string[])[]): number {
  const takenBy = new Map<string, number>();
  const place = (authority: number, tried: Set<string>): boolean => {
    for (const signer of signers[authority] ?? []) {
      if (tried.has(signer)) continue;
      tried.add(signer);
      const holder = takenBy.get(signer);
      if (holder === undefined || place(holder, tried)) {
        takenBy.set(signer, authority);
        return true;
      }
    }
    return false;
  };
  let count = 0;
  for (const authority of signers.keys()) if (place(authority, new Set())) count += 1;
  return count;
}
