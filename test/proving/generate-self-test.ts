// Writes src/proving/self-test-material.ts: a keyless bundle with its trusted root, made once by the test kit. Run it
// again only when the format of what is verified changes: node test/proving/generate-self-test.ts
import { writeFileSync } from 'node:fs';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';

const SIGNED_AT = new Date('2026-06-01T12:00:00Z');
const DIGEST = `sha256:${'5e'.repeat(32)}`;
const IDENTITY = { issuer: 'https://issuer.models.test', subject: 'https://models.test/self-test' };

const sigstore = await createSigstore({ now: () => SIGNED_AT });
const bundle = await sigstore.signKeyless(cosignSignStatement(DIGEST), IDENTITY);
const toConstant = (name: string, text: string): string =>
  `export const ${name} =\n  ${JSON.stringify(Buffer.from(text).toString('base64'))};\n`;

writeFileSync(
  new URL('../../src/proving/self-test-material.ts', import.meta.url),
  [
    '// What does every proving thread verify before it is ready? A keyless bundle with its trusted root, signed with\n',
    '// throw-away keys; written by test/proving/generate-self-test.ts. Nothing else ever trusts this root.\n',
    `export const SELF_TEST_DIGEST = '${DIGEST}';\n`,
    `export const SELF_TEST_TIME = '${new Date(SIGNED_AT.getTime() + 60_000).toISOString()}';\n`,
    '/** JSON in base64. */\n',
    toConstant('SELF_TEST_TRUSTED_ROOT', sigstore.trustedRootJson()),
    '/** JSON in base64. */\n',
    toConstant('SELF_TEST_BUNDLE', JSON.stringify(bundle)),
  ].join(''),
);
