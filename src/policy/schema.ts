// How is the shape of a custom resource written? The type and the small builders of structural schemas; the schemas
// themselves stand beside it. The CRDs in deploy/crds are generated from them, and files are checked with them.
// Kubernetes: "Specifying a structural schema" (apiextensions.k8s.io/v1).

/** The subset of OpenAPI v3 that is used here. */
export interface Schema {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly default?: string | number | boolean | readonly string[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly pattern?: string;
  readonly format?: 'date-time';
  readonly 'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[];
}

/** Longest CEL source, in characters (docs: limits). */
export const MAX_EXPRESSION_CHARS = 16_384;
/** Longest regular expression, in characters (docs: limits). */
export const MAX_PATTERN_CHARS = 1024;
/** A DNS subdomain, the form of object names. */
export const NAME_PATTERN = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$';

/** Builds a bounded string schema. */
export const text = (description: string, maxLength: number, more: Partial<Schema> = {}): Schema => ({
  type: 'string',
  description,
  minLength: 1,
  maxLength,
  ...more,
});
/** Builds a closed object schema. */
export const object = (
  description: string,
  properties: Record<string, Schema>,
  more: Partial<Schema> = {},
): Schema => ({
  type: 'object',
  description,
  properties,
  ...more,
});
/** Builds a string map schema. */
export const map = (description: string, maxLength: number): Schema => ({
  type: 'object',
  description,
  maxProperties: 32,
  additionalProperties: { type: 'string', maxLength },
});

/** A rule that exactly one of some fields is set; ajv leaves it to compile.ts, which says the same. */
export function exactlyOne(fields: readonly string[]): Schema['x-kubernetes-validations'] {
  const counted = fields.map((field) => `has(self.${field})`).join(', ');
  return [
    {
      rule: `[${counted}].filter(x, x).size() == 1`,
      message: `exactly one of ${fields.join(', ')} must be set`,
    },
  ];
}

/** Builds a reference to a key of an object schema. */
export const keyReference = (kind: string): Schema =>
  object(
    `A key of a ${kind} in the controller's namespace; for a ModelPolicy, in its own.`,
    {
      name: text(`Name of the ${kind}.`, 253, { pattern: NAME_PATTERN }),
      key: text(`Key in its data.`, 253),
    },
    { required: ['name', 'key'] },
  );

/** Builds a reference to a TrustRoot. */
export const trustRootReference = (description: string): Schema =>
  object(
    description,
    { name: text('Name of the TrustRoot.', 253, { pattern: NAME_PATTERN }) },
    { required: ['name'] },
  );
/** Builds a number of distinct parties, none unless it is set. */
export const optionalCount = (description: string): Schema => ({
  type: 'integer',
  description,
  minimum: 0,
  maximum: 8,
});

/** A rule that a number above 0 stands beside `trustRootRef`; compile.ts says the same. */
export const needsTrustRoot = (field: string): { readonly rule: string; readonly message: string } => ({
  rule: `!has(self.${field}) || self.${field} == 0 || has(self.trustRootRef)`,
  message: `${field} needs trustRootRef`,
});
