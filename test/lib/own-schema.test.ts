// Are our schemas schemas, now that nobody asks when the process starts, and do they refuse what they should?
import assert from 'node:assert/strict';
import { Ajv } from 'ajv';
import { compileSchema } from '../../src/lib/own-schema.ts';
import {
  CLUSTER_MODEL_POLICY_SPEC,
  MODEL_POLICY_SPEC,
} from '../../src/policy/cluster-model-policy-schema.ts';
import { MODEL_POLICY_EXCEPTION_SPEC } from '../../src/policy/model-policy-exception-schema.ts';
import { TRUST_ROOT_SPEC } from '../../src/policy/trust-root-schema.ts';

describe('compileSchema()', () => {
  const schema = {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string', maxLength: 3 } },
    'x-kubernetes-validations': [],
  };

  it('refuses what a schema refuses, and takes keywords that it does not know', () => {
    const validate = compileSchema<{ name: string }>(schema);
    assert.equal(validate({ name: 'abc' }), true);
    assert.equal(validate({ name: 'abcd' }), false);
    assert.equal(validate({}), false);
  });

  it('tells all faults when it is asked to', () => {
    const validate = compileSchema({ ...schema, additionalProperties: false }, { allErrors: true });
    assert.equal(validate({ a: 1, b: 2 }), false);
    assert.equal(validate.errors?.length, 3);
  });

  for (const [name, spec] of Object.entries({
    CLUSTER_MODEL_POLICY_SPEC,
    MODEL_POLICY_SPEC,
    TRUST_ROOT_SPEC,
    MODEL_POLICY_EXCEPTION_SPEC,
  }))
    it(`is given schemas: ${name}`, async () => {
      const ajv = new Ajv({ strict: false });
      assert.equal(await ajv.validateSchema(spec), true, ajv.errorsText());
    });
});
