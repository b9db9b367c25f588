// Does verify-files give model_signing's own signatures their documented verdict? Entry of `npm run vectors:oms -- DIR`
// for the directory of recorded OpenSSF Model Signing bundles with their files; the real command, as a person calls it.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const USAGE = `usage: npm run vectors:oms -- DIR

  DIR  directory of recorded bundles, with model-transparency and model-signing-spec`;
const PROGRAM = path.resolve(import.meta.dirname, '../../bin/model-policy');
/** Who signed the keyless ones. */
const SIGNER = [
  '--issuer',
  'https://sigstore.verify.ibm.com/oauth2',
  '--subject',
  'stefanb@us.ibm.com',
] as const;
const VERSIONS = ['v1.0.0', 'v1.0.1'] as const;

interface Check {
  readonly label: string;
  readonly parameters: readonly string[];
  readonly accepts: boolean;
}

/** The checks of one recorded signature: as it is, with a file changed, added, and under other trust. */
function toChecks(directory: string, scratch: string): readonly Check[] {
  const recorded = path.join(directory, 'model-transparency');
  const keys = path.join(recorded, 'keys', 'certificate');
  const methods: Readonly<Record<string, readonly string[]>> = {
    certificate: ['--roots', path.join(keys, 'ca-cert.pem')],
    'elliptic-key': ['--key', path.join(keys, 'signing-key-pub.pem')],
    sigstore: SIGNER,
  };
  return VERSIONS.flatMap((version) =>
    Object.entries(methods).flatMap(([method, trust]) => {
      const name = `${version}-${method}`;
      const others = Object.values(methods).filter((other) => other !== trust);
      return toModelChecks(path.join(recorded, name), scratch, { name, trust, others });
    }),
  );
}

interface Recorded {
  readonly name: string;
  readonly trust: readonly string[];
  readonly others: readonly (readonly string[])[];
}

function toModelChecks(source: string, scratch: string, { name, trust, others }: Recorded): readonly Check[] {
  const changed = path.join(scratch, name, 'changed');
  const grown = path.join(scratch, name, 'grown');
  for (const copy of [changed, grown]) cpSync(source, copy, { recursive: true });
  writeFileSync(path.join(changed, 'signme-1'), 'something else');
  writeFileSync(path.join(grown, 'extra'), 'more');
  const isOneFile = name === 'v1.0.0-elliptic-key';
  const check = (label: string, model: string, parameters: readonly string[], accepts: boolean): Check => ({
    label: `${name} ${label}`,
    parameters: [
      isOneFile ? path.join(model, 'signme-1') : model,
      '--bundle',
      path.join(model, 'model.sig'),
      // What was in the directory when it was signed, and was left out.
      ...(existsSync(path.join(model, 'ignore-me')) ? ['--ignore-path', 'ignore-me'] : []),
      ...parameters,
    ],
    accepts,
  });
  return [
    check('as recorded', source, trust, true),
    check('with a changed file', changed, trust, false),
    // Neighbours of a single file are no part of the model.
    check('with another file', grown, trust, isOneFile),
    ...others.map((other) => check(`under ${other[0] ?? ''}`, source, other, false)),
  ];
}

/** Schema vectors: no files belong to them, and none may pass over any. */
function toInvalidChecks(directory: string): readonly Check[] {
  const vectors = path.join(directory, 'model-signing-spec', 'test-vectors', 'v1.0');
  const model = path.join(directory, 'model-transparency', 'v1.0.1-elliptic-key');
  const key = path.join(directory, 'model-transparency', 'keys', 'certificate', 'signing-key-pub.pem');
  return ['invalid', 'invalid-payload', 'valid'].flatMap((folder) =>
    readdirSync(path.join(vectors, folder)).flatMap((file) =>
      [['--key', key], SIGNER].map((trust) => ({
        label: `${folder}/${file} under ${trust[0] ?? ''}`,
        parameters: [model, '--bundle', path.join(vectors, folder, file), ...trust],
        accepts: false,
      })),
    ),
  );
}

async function findProblem({ parameters, accepts }: Check): Promise<string | undefined> {
  const child = spawn(PROGRAM, ['verify-files', ...parameters, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [code, output, errors] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
  if (code === (accepts ? 0 : 1)) return undefined;
  return `expected to be ${accepts ? 'accepted' : 'rejected'}, exit ${code}: ${output}${errors}`;
}

async function main([directory, ...more]: readonly string[]): Promise<number> {
  if (directory === undefined || more.length > 0 || !existsSync(path.join(directory, 'model-transparency'))) {
    console.error(USAGE);
    return 2;
  }
  const scratch = mkdtempSync(path.join(tmpdir(), 'vectors-oms-'));
  try {
    const checks = [...toChecks(directory, scratch), ...toInvalidChecks(directory)];
    let failed = 0;
    for (const check of checks) {
      const problem = await findProblem(check);
      if (problem === undefined) continue;
      failed += 1;
      console.log(`FAILED ${check.label}: ${problem}`);
    }
    console.log(`${checks.length - failed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
