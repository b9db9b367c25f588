// Which whole-text pattern means what a pattern of policy-controller finds anywhere? Theirs search, ours match all.

/** What a pattern becomes; `isOpen`: anything may stand before or after what it names. */
export interface MigratedPattern {
  readonly pattern: string;
  readonly isOpen: boolean;
}

const LAST_ANCHOR = /(?:^|[^\\])(?:\\\\)*\$$/;
const LAST_ANYTHING = /(?:^|[^\\])(?:\\\\)*\.\*$/;

/** Translates a pattern: anchors become what they say, missing ones `.*`. */
export function migratePattern(written: string): MigratedPattern {
  // Anchors of an alternative are its own, and flags can change what one means.
  if (/[|]|\(\?/.test(written)) return { pattern: `.*(?:${written}).*`, isOpen: true };
  const starts = written.startsWith('^');
  const ends = LAST_ANCHOR.test(written);
  const inner = written.slice(starts ? 1 : 0, ends ? -1 : undefined);
  const before = starts || inner.startsWith('.*') ? '' : '.*';
  const after = ends || LAST_ANYTHING.test(inner) ? '' : '.*';
  return { pattern: `${before}${inner}${after}`, isOpen: before + after !== '' };
}
