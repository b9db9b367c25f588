// What do rules do with named formats? Kubernetes' format library over named-format.ts.
import { Optional } from 'cel-js';
import type { CelFunction } from './cel-function.ts';
import { NAMED_FORMATS, type NamedFormat } from './named-format.ts';

const FORMAT = 'kubernetes.NamedFormat';
const NAMESPACE = 'FormatNamespace';

/** format.named, format.<name>() and validate. */
export const namedFormats: readonly CelFunction[] = [
  {
    signature: `${NAMESPACE}.__named(string): optional<${FORMAT}>`,
    run: (_: unknown, name: string) => Optional.of(NAMED_FORMATS.get(name)),
  },
  ...Array.from(NAMED_FORMATS, ([name, format]) => ({
    signature: `${NAMESPACE}.__${name}(): ${FORMAT}`,
    run: () => format,
  })),
  {
    signature: `${FORMAT}.__validate(string): optional<list<string>>`,
    cost: 60,
    costPerCharacter: 4,
    run: (format: NamedFormat, text: string) => validate(format, text),
  },
];

function validate(format: NamedFormat, text: string): Optional {
  const faults = format.check(text);
  return faults.length === 0 ? Optional.none() : Optional.of([...faults]);
}
