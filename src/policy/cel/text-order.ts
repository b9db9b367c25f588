// Which of two texts comes first? Order by code points, as CEL defines it; JavaScript orders by UTF-16 code units.

/** -1, 0 or 1 as the first text comes before, equals or comes after the second. */
export function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  let at = 0;
  while (at < length && left.charCodeAt(at) === right.charCodeAt(at)) at += 1;
  if (at === length) return left.length < right.length ? -1 : 1;
  return rank(left.charCodeAt(at)) < rank(right.charCodeAt(at)) ? -1 : 1;
}

// Surrogates stand for the highest code points, though their units are not the highest.
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
