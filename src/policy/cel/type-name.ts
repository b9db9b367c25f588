// What is a type's name? Types are values in CEL, and the library exports neither their class nor a way to print them.
const TAG = /^Type<(.+)>$/;

/** The name of a type value, undefined for any other value. */
export function typeNameOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const tag: unknown = Reflect.get(value, Symbol.toStringTag);
  const name = typeof tag === 'string' ? TAG.exec(tag)?.[1] : undefined;
  return name === 'null' ? 'null_type' : name;
}
