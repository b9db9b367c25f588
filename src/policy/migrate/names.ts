// Which name can stand here for one that was written with fewer rules?

const MAX_NAME_CHARS = 63;

/** A name of our form that is not taken yet; `taken` is updated. @param fallback where nothing of it can be used */
export function toName(written: string, fallback: string, taken: Set<string>): string {
  const base =
    written
      .toLowerCase()
      .replaceAll(/[^-a-z0-9.]+/g, '-')
      .replaceAll(/^[-.]+|[-.]+$/g, '')
      .slice(0, MAX_NAME_CHARS - 3)
      .replace(/[-.]+$/, '') || fallback;
  let name = base;
  for (let count = 2; taken.has(name); count += 1) name = `${base}-${count}`;
  taken.add(name);
  return name;
}
