// Which types does the library bring beside CEL's own? Opaque values, and the names before functions such as ip.isCanonical.
// What can be done with them is functions-*.ts; when two are equal is equality.ts.
import type { Environment } from 'cel-js';
import { Cidr, IpAddress } from './ip-address.ts';
import { NamedFormat } from './named-format.ts';
import { Quantity } from './quantity.ts';
import { Semver } from './semver.ts';
import { Url } from './url.ts';

const OPAQUE_TYPES = {
  'kubernetes.URL': Url,
  'kubernetes.Quantity': Quantity,
  'kubernetes.Semver': Semver,
  'kubernetes.NamedFormat': NamedFormat,
  'net.IP': IpAddress,
  'net.CIDR': Cidr,
} as const;

const BYTE_ORDERS = {
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
} as const;

// Names before functions, with the types that functions-*.ts give their receivers.
const NAMESPACES = {
  sets: 'SetsNamespace',
  ip: 'IpNamespace',
  format: 'FormatNamespace',
  strings: 'StringsNamespace',
  lists: 'ListsNamespace',
} as const;

// The engine tells types apart by constructor, so each namespace needs a class of its own.
function declareNamespace(name: string) {
  return class {
    readonly name = name;
  };
}

/** Adds the types, their equality, and the namespaces to an environment. */
export function registerLibraryTypes(environment: Environment): void {
  for (const [name, ctor] of Object.entries(OPAQUE_TYPES)) {
    environment.registerType(name, { ctor, fields: {} });
    // Never called: metering.ts compares all values by equality.ts. It tells the checker that they can be compared.
    environment.registerOperator(`${name} == ${name}`, (a: unknown, b: unknown) => a === b);
  }
  environment.registerOperator('optional<V> == optional<V>', (a: unknown, b: unknown) => a === b);
  for (const op of ['<', '<=', '>', '>='] as const) {
    environment.registerOperator(`bytes ${op} bytes`, (a: Uint8Array, b: Uint8Array) =>
      BYTE_ORDERS[op](Buffer.compare(a, b)),
    );
  }
  for (const [name, type] of Object.entries(NAMESPACES)) {
    const ctor = declareNamespace(name);
    environment.registerType(type, { ctor, fields: {} });
    environment.registerConstant(name, type, new ctor());
  }
}
