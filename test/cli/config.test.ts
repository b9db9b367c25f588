// Do options mean what the table says, on the command line and in the environment?
import assert from 'node:assert/strict';
import { parseArguments, toAddress, UsageError, type CommandSpec } from '../../src/cli/arguments.ts';
import { findConfigProblem, toVariableName, withDefaults } from '../../src/config.ts';
import { ADMIT_OPTIONS, EXPLAIN_OPTIONS, SERVE_OPTIONS, VERIFY_OPTIONS } from '../../src/options.ts';

const ALL = [SERVE_OPTIONS, VERIFY_OPTIONS, EXPLAIN_OPTIONS, ADMIT_OPTIONS];

describe('withDefaults()', () => {
  it('prefers the command line to the environment, and that to the default', () => {
    const variables = { MODEL_POLICY_WORKLOADS: 'Deny', MODEL_POLICY_LISTEN: '' };
    assert.equal(withDefaults(SERVE_OPTIONS, { workloads: 'Off' }, variables)['workloads'], 'Off');
    assert.equal(withDefaults(SERVE_OPTIONS, {}, variables)['workloads'], 'Deny');
    assert.equal(withDefaults(SERVE_OPTIONS, {}, variables)['listen'], '127.0.0.1:8443');
  });

  it('splits lists at commas and reads flags as true', () => {
    const values = withDefaults(
      VERIFY_OPTIONS,
      {},
      { MODEL_POLICY_POLICY: 'a,b,', MODEL_POLICY_JSON: 'true' },
    );
    assert.deepEqual([values['policy'], values['json']], [['a', 'b'], true]);
  });

  it('gives every option a value that passes its own check', () => {
    for (const options of ALL)
      assert.equal(findConfigProblem(options, withDefaults(options, {}, {})), undefined);
  });
});

describe('findConfigProblem()', () => {
  it('takes clouds by their names alone', () => {
    const problem = (clouds: string): string | undefined =>
      findConfigProblem(SERVE_OPTIONS, { 'cloud-keychains': clouds });
    for (const clouds of ['ECR', 'GAR,ACR', 'ECR,GAR,ACR']) assert.equal(problem(clouds), undefined);
    for (const clouds of ['', 'ecr', 'ECR,', ',ECR', 'ECR GAR', 'ECR,AZURE', 'XECR'])
      assert.match(problem(clouds) ?? '', /--cloud-keychains/);
  });

  it('refuses what the table does not allow, by the name of the flag', () => {
    const problem = (values: object): string | undefined => findConfigProblem(SERVE_OPTIONS, { ...values });
    assert.equal(problem({ 'no-match-policy': 'deny' }), '--no-match-policy must be Deny|Warn|Allow');
    assert.equal(problem({ listen: ':8443' }), '--listen must be HOST:PORT');
    assert.equal(problem({ listen: '127.0.0.1' }), '--listen must be HOST:PORT');
    assert.equal(problem({ 'plain-http': ['a:1', 'b'] }), '--plain-http must be HOST:PORT');
    assert.equal(problem({ 'controller-namespace': '../x' }), '--controller-namespace must be NAME');
    assert.equal(problem({ listen: '[::1]:0' }), undefined);
  });
});

describe('toVariableName()', () => {
  it('is unambiguous', () => {
    for (const options of ALL) {
      const names = options.map(({ flag }) => toVariableName(flag));
      assert.equal(new Set(names).size, names.length);
      for (const name of names) assert.match(name, /^MODEL_POLICY_[A-Z_]+$/);
    }
  });
});

describe('parseArguments()', () => {
  const verify: CommandSpec = { name: 'verify', summary: '', positional: 'REF', options: VERIFY_OPTIONS };
  const serve: CommandSpec = { name: 'serve', summary: '', options: SERVE_OPTIONS };
  const read = (args: readonly string[], command = verify): readonly unknown[] => {
    const { values, positionals } = parseArguments(command, args, {});
    return [values['policy'] ?? values['policies'], positionals];
  };

  it('reads lists before, after and around REF', () => {
    assert.deepEqual(read(['ref', '--policy', 'a', 'b']), [['a', 'b'], ['ref']]);
    assert.deepEqual(read(['--policy', 'a', 'b', 'ref']), [['a', 'b'], ['ref']]);
    assert.deepEqual(read(['--policy', 'a', '--json', 'ref', '--policy', 'b']), [['a', 'b'], ['ref']]);
    assert.deepEqual(read(['--policy=a', 'ref']), [['a'], ['ref']]);
    assert.deepEqual(read(['--policy', 'a', '--', 'ref']), [['a'], ['ref']]);
    assert.deepEqual(read(['--policies', 'a', 'b', '--listen', 'x:1'], serve), [['a', 'b'], []]);
  });

  it('takes POD from the list that was begun last', () => {
    const explain: CommandSpec = { name: 'x', summary: '', positional: 'POD', options: EXPLAIN_OPTIONS };
    assert.deepEqual(read(['--policy', 'a', 'b', '--recordings', 'r', 'pod'], explain), [
      ['a', 'b'],
      ['pod'],
    ]);
    assert.deepEqual(read(['--recordings', 'r', 's', '--policy', 'a', 'pod'], explain), [['a'], ['pod']]);
  });

  it('refuses arguments that nobody takes', () => {
    for (const args of [
      ['--policies', 'a', '-x'],
      ['extra'],
      ['--policies'],
      ['--Policies', 'a'],
      ['--no-policies'],
    ])
      assert.throws(() => parseArguments(serve, args, {}), UsageError, args.join(' '));
  });

  it('finds --help anywhere', () => {
    assert.equal(parseArguments(verify, ['--nonsense', '--help'], {}).wantsHelp, true);
  });
});

describe('toAddress()', () => {
  it('takes brackets off', () => {
    assert.deepEqual(toAddress('[::1]:8443'), { host: '::1', port: 8443 });
    assert.deepEqual(toAddress('localhost:0'), { host: 'localhost', port: 0 });
  });
});
