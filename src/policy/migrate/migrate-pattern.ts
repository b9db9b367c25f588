// Which whole-text pattern means what a pattern of policy-controller finds anywhere? Theirs search, ours match all.

/** What a pattern becomes; `isOpen`: anything may stand before or after what it names. */
export interface MigratedPattern {
  readonly pattern: string;
  readonly isOpen: boolean;
}

/** Translates a pattern: anchors become what they say, missing ones `.*`. */
export function migratePattern(written: string): MigratedPattern {
  const isPlain = !/[|]|\(\?/.test(written);
  const starts = isPlain && written.startsWith('^');
  const ends = isPlain && /(?:^|[^\\])(?:\\\\)*\$$/.test(written);
  const inner = written.slice(starts ? 1 : 0, ends ? -1 : undefined);
  const isOpenBefore = !starts && !(isPlain && inner.startsWith('.*'));
  const isOpenAfter = !ends && !(isPlain && /(?:^|[^\\])(?:\\\\)*\.\*$/.test(inner));
  const body = isPlain ? inner : `(?:${inner})`;
  return {
    pattern: `${isOpenBefore ? '.*' : ''}${body}${isOpenAfter ? '.*' : ''}`,
    isOpen: isOpenBefore || isOpenAfter,
  };
}
