// Is every fault of a demand for attestations named with its path, and what is demanded where nothing is said?
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import { compile } from '../verdict/support.ts';

const SLSA = 'https://slsa.dev/provenance/v1';
const keyed = (name: string): object => ({ name, key: { pem: generateSigningKey('p256').publicKeyPem } });
const AUTHORITIES = [keyed('red'), keyed('blue')];
const demand = (more: object = {}): object => ({ name: 'provenance', predicateTypes: [SLSA], ...more });
const compileWith = (attestations: unknown, more: object = {}): CompiledPolicy =>
  compile({ authorities: AUTHORITIES, attestations, ...more });
const messagesOf = ({ problems }: CompiledPolicy): string[] =>
  problems.map(({ reason, message }) => `${reason} ${message}`);

describe('compileAttestations()', () => {
  it('lets every authority of the policy vouch where none is named', () => {
    const policy = compileWith([demand(), demand({ name: 'bom', authorities: ['blue'] })]);
    assert.deepEqual(policy.problems, []);
    assert.deepEqual(
      policy.attestations.map(({ name, predicateTypes, authorities, validations }) => [
        name,
        predicateTypes,
        authorities,
        validations,
      ]),
      [
        ['provenance', [SLSA], ['red', 'blue'], []],
        ['bom', [SLSA], ['blue'], []],
      ],
    );
    assert.deepEqual(compile({ authorities: AUTHORITIES }).attestations, []);
  });

  const zero = 'PolicyInvalid spec.minAuthorities: 0 needs attestations, each of which names its authorities';
  const table: readonly (readonly [string, unknown, object, readonly string[] | RegExp])[] = [
    ['no attestations', [], {}, /spec\.attestations: must NOT have fewer than 1 items/],
    [
      'no predicate types',
      [demand({ predicateTypes: [] })],
      {},
      /spec\.attestations\[0\]\.predicateTypes: must NOT have fewer than 1 items/,
    ],
    ['a missing name', [{ predicateTypes: [SLSA] }], {}, /spec\.attestations\[0\]: name is required/],
    [
      'nobody but a tenant authority to vouch',
      [demand()],
      { authorities: [{ name: 'theirs', tenant: {} }] },
      [
        'PolicyInvalid spec.attestations: a tenant authority vouches for no attestation, so another one is needed',
      ],
    ],
    ['no authorities', [demand({ authorities: [] })], {}, /spec\.attestations\[0\]\.authorities: must NOT/],
    [
      'an unknown field',
      [demand({ predicates: [] })],
      {},
      /spec\.attestations\[0\]\.predicates: unknown field/,
    ],
    [
      'an unknown authority',
      [demand({ authorities: ['red', 'green'] })],
      {},
      ['PolicyInvalid spec.attestations[0].authorities[1]: the policy has no authority "green"'],
    ],
    [
      'two of one name',
      [demand(), demand()],
      {},
      ['PolicyInvalid spec.attestations: two attestations have the same name'],
    ],
    [
      'the predicate type of a signature',
      [demand({ predicateTypes: [SLSA, 'https://sigstore.dev/cosign/sign/v1'] })],
      {},
      [
        'PolicyInvalid spec.attestations[0].predicateTypes[1]: "https://sigstore.dev/cosign/sign/v1" is the predicate type of a signature, which authorities are for',
      ],
    ],
    [
      'the predicate type of model signing, of any version',
      [demand({ predicateTypes: ['https://model_signing/Digests/v0.1'] })],
      {},
      /predicateTypes\[0\]: .* is the predicate type of a signature/,
    ],
    [
      'a static authority beside it',
      [demand()],
      { authorities: [{ name: 'fixed', static: { action: 'Pass' } }] },
      [
        'PolicyInvalid spec.attestations: a static authority signs nothing, so no attestation can be demanded beside it',
      ],
    ],
    ['minAuthorities 0 without attestations', undefined, { minAuthorities: 0 }, [zero]],
    [
      'minAuthorities 0 where one names nobody',
      [demand({ authorities: ['red'] }), demand({ name: 'x' })],
      { minAuthorities: 0 },
      [zero],
    ],
    [
      'minAuthorities 0 where all name somebody',
      [demand({ authorities: ['red'] })],
      { minAuthorities: 0 },
      [],
    ],
    [
      'a rule that does not compile',
      [demand({ validations: [{ expression: 'predicate.a ==' }] })],
      {},
      /^PolicyInvalid spec\.attestations\[0\]\.validations\[0\]\.expression: /,
    ],
    [
      'a rule about the attestations, of which this is one',
      [demand({ validations: [{ expression: 'attestations.size() == 1' }] })],
      {},
      /validations\[0\]\.expression: .*attestations/,
    ],
    [
      'a message that is no text',
      [demand({ validations: [{ expression: 'true', messageExpression: '1' }] })],
      {},
      /validations\[0\]\.messageExpression: expression must be string/,
    ],
    [
      'a rule about a field of the signature that does not exist',
      [demand({ validations: [{ expression: "signature.isuer == ''" }] })],
      {},
      /validations\[0\]\.expression: /,
    ],
    [
      'rules about everything that is there',
      [
        demand({
          validations: [
            {
              expression:
                "predicate.a == predicateType && statement.b == 'x' && signature.subject == '' && model.format == 'ORAS' && pod.spec != {} && signatures.size() == 0",
              messageExpression: 'predicateType + string(predicate.a)',
            },
          ],
        }),
      ],
      {},
      [],
    ],
  ];
  for (const [what, attestations, more, expected] of table)
    it(`${Array.isArray(expected) && expected.length === 0 ? 'accepts' : 'refuses'} ${what}`, () => {
      const messages = messagesOf(compileWith(attestations, more));
      if (expected instanceof RegExp) assert.match(messages.join('\n'), expected);
      else assert.deepEqual(messages, expected);
    });

  it('keeps what is about one statement out of the rules of the policy', () => {
    for (const expression of [
      "predicateType == ''",
      'predicate.a == 1',
      'statement == {}',
      "signature.issuer == ''",
    ])
      assert.equal(compileWith([demand()], { validations: [{ expression }] }).problems.length, 1, expression);
    const expression =
      "attestations.all(a, a.name != '' && a.predicate.b == a.statement.c && a.signature.issuer == '')";
    assert.deepEqual(messagesOf(compileWith([demand()], { validations: [{ expression }] })), []);
  });
});
