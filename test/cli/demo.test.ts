// Does `npm start` show what it promises? The demo itself, on its fixed registry port.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createWorkspace, type Outcome, type Workspace } from './run.ts';

const REGISTRY_TAKEN = /cannot listen on 127\.0\.0\.1:5055: the port of the embedded registry is taken/;
const TRIES = 4;

describe('model-policy demo', () => {
  let workspace: Workspace;
  before(() => {
    workspace = createWorkspace();
  });
  after(() => workspace.remove());

  const run = (...more: readonly string[]): Promise<Outcome> =>
    workspace.run(['demo', '--exit', '--listen', '127.0.0.1:0', '--metrics-listen', '127.0.0.1:0', ...more]);

  it('answers every sample as it should, and ends', async function () {
    this.timeout(60_000);
    let outcome = await run();
    // Somebody else may be showing it just now.
    for (let tries = 1; tries < TRIES && REGISTRY_TAKEN.test(outcome.stderr); tries += 1) {
      await sleep(3000);
      outcome = await run();
    }
    assert.doesNotMatch(
      outcome.stderr,
      REGISTRY_TAKEN,
      'port 5055 is taken: stop the other demo and try again',
    );
    const { code, stdout, stderr } = outcome;
    assert.equal(code, 0, stderr.slice(-2000));
    assert.match(stdout, /^POD +MODEL +VERDICT +REASON +MS\n/);
    assert.match(stdout, /\n6 admitted, 8 denied, 0 not as they should be\n$/);
    for (const row of [
      /^signed-by-key .* admitted /m,
      /^unsigned .* denied +SignatureMissing /m,
      /^tampered .* denied +SubjectMismatch /m,
    ])
      assert.match(stdout, row);
    for (const line of stderr.trim().split('\n')) JSON.parse(line);
  });
});
