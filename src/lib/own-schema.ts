// How are our own JSON schemas compiled? With what ajv needs, and nothing else: they hold Kubernetes' keywords, and are not
// checked against the meta-schema, which takes longer to compile than most of them, in every process that starts.
import { Ajv, type Options, type ValidateFunction } from 'ajv';

const OPTIONS: Options = { strict: false, meta: false, validateSchema: false };

/** Compiles a schema that is part of the program; `options` are ajv's. */
export function compileSchema<T>(schema: object, options: Options = {}): ValidateFunction<T> {
  return new Ajv({ ...OPTIONS, ...options }).compile<T>(schema);
}
