// Does verify-files give model_signing's own signatures their documented verdict? Entry of `npm run vectors:oms -- DIR`
// for the directory of recorded OpenSSF Model Signing bundles with their files; the real command, as a person calls it.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { toFileChecks, toVerifyFilesParameters, type FileCheck } from './file-checks.ts';

const USAGE = `usage: npm run vectors:oms -- DIR

  DIR  directory of recorded bundles, with model-transparency and model-signing-spec`;
const PROGRAM = path.resolve(import.meta.dirname, '../../bin/model-policy');

async function findProblem(check: FileCheck): Promise<string | undefined> {
  const child = spawn(PROGRAM, ['verify-files', ...toVerifyFilesParameters(check)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [code, output, errors] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
  if (code === (check.accepts ? 0 : 1)) return undefined;
  return `expected to be ${check.accepts ? 'accepted' : 'rejected'}, exit ${code}: ${output}${errors}`;
}

async function main([directory, ...more]: readonly string[]): Promise<number> {
  if (directory === undefined || more.length > 0 || !existsSync(path.join(directory, 'model-transparency'))) {
    console.error(USAGE);
    return 2;
  }
  const scratch = mkdtempSync(path.join(tmpdir(), 'vectors-oms-'));
  try {
    const checks = toFileChecks(directory, scratch);
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
