// Which types of its own does a rule see, and with which fields? One class per type, registered with the engine.
// bindings.ts fills them; a field that was not proven is left out, so that reading it is an error.

/** Field names and CEL types of every declared type, leaves first. */
export const TYPE_FIELDS = {
  Reference: {
    registry: 'string',
    repository: 'string',
    tag: 'string',
    digest: 'string',
    original: 'string',
  },
  Layer: {
    class: 'string',
    digest: 'string',
    title: 'string',
    mediaType: 'string',
    size: 'int',
    annotations: 'map<string, string>',
  },
  Model: {
    reference: 'Reference',
    source: 'string',
    fieldPath: 'string',
    format: 'string',
    binding: 'string',
    mediaType: 'string',
    artifactType: 'string',
    configMediaType: 'string',
    annotations: 'map<string, string>',
    layers: 'list<Layer>',
    size: 'int',
  },
  // What conditions of a policy see of a request.
  MatchRequest: { namespace: 'string', operation: 'string' },
  Certificate: {
    serial: 'string',
    notBefore: 'google.protobuf.Timestamp',
    notAfter: 'google.protobuf.Timestamp',
  },
  Log: { origin: 'string', index: 'int', witnesses: 'list<string>' },
  Signature: {
    authority: 'string',
    format: 'string',
    issuer: 'string',
    subject: 'string',
    claims: 'map<string, string>',
    keyFingerprint: 'string',
    certificate: 'Certificate',
    signedAt: 'google.protobuf.Timestamp',
    existedBy: 'google.protobuf.Timestamp',
    timeSources: 'list<string>',
    logs: 'list<Log>',
    annotations: 'map<string, string>',
  },
  Attestation: {
    name: 'string',
    predicateType: 'string',
    predicate: 'dyn',
    statement: 'map<string, dyn>',
    signature: 'Signature',
  },
} as const;

/** Name of a declared type. */
export type TypeName = keyof typeof TYPE_FIELDS;

type Fields<N extends TypeName> = Partial<Record<keyof (typeof TYPE_FIELDS)[N], unknown>>;

// The engine tells types apart by constructor, so each needs a class of its own.
function declareType(name: TypeName) {
  return class {
    get [Symbol.toStringTag](): string {
      return name;
    }

    static create(fields: Readonly<Record<string, unknown>>): object {
      const present = Object.entries(fields).filter(([, value]) => value !== undefined);
      return Object.assign(new this(), Object.fromEntries(present));
    }
  };
}

/** The class of every declared type; only createTyped makes instances. */
export const TYPE_CLASSES = {
  Reference: declareType('Reference'),
  Layer: declareType('Layer'),
  Model: declareType('Model'),
  MatchRequest: declareType('MatchRequest'),
  Certificate: declareType('Certificate'),
  Log: declareType('Log'),
  Signature: declareType('Signature'),
  Attestation: declareType('Attestation'),
} satisfies Record<TypeName, unknown>;

/** Adds a field to a typed value that is made when it is first read. */
export function defineLazily(value: object, field: string, make: () => unknown): void {
  Object.defineProperty(value, field, { enumerable: true, get: make });
}

/** Makes a value of a declared type; fields that are undefined are absent. */
export function createTyped<N extends TypeName>(name: N, fields: Fields<N>): object {
  return TYPE_CLASSES[name].create(fields);
}
