// Does one candidate lead, and only one, through everything that an API server and other candidates do?
import assert from 'node:assert/strict';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import { KubernetesApiError } from '../../src/kubernetes/errors.ts';
import { type LeaderElection, startLeaderElection } from '../../src/kubernetes/leader.ts';
import { until } from '../support/until.ts';
import { type FakeStore, startFakeStore, type Stored } from './fake-store.ts';

const PATH = '/apis/coordination.k8s.io/v1/namespaces/own/leases/writers';
const TIMING = { leaseMs: 1000, renewDeadlineMs: 600, retryMs: 20 };

interface Running {
  readonly election: LeaderElection;
  readonly terms: AbortSignal[];
  readonly errors: unknown[];
}

describe('startLeaderElection()', () => {
  let store: FakeStore;
  let running: Running[] = [];

  const start = (identity: string, timing = TIMING): Running => {
    const terms: AbortSignal[] = [];
    const errors: unknown[] = [];
    const election = startLeaderElection({
      client: createKubernetesClient({ kubeconfig: store.api.kubeconfig }),
      namespace: 'own',
      name: 'writers',
      identity,
      timing,
      lead: (term) => void terms.push(term),
      onError: (error) => void errors.push(error),
    });
    const candidate = { election, terms, errors };
    running.push(candidate);
    return candidate;
  };
  const spec = (): Record<string, unknown> => (store.get(PATH)?.['spec'] ?? {}) as Record<string, unknown>;
  const isLeading = ({ election }: Running): boolean => election.isLeader;
  const lease = (holderIdentity: string, more: object = {}): Stored =>
    store.put(PATH, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'writers', namespace: 'own', labels: { kept: 'yes' } },
      spec: { holderIdentity, leaseDurationSeconds: 1, leaseTransitions: 4, ...more },
    });

  beforeEach(async () => {
    store = await startFakeStore();
  });
  afterEach(async () => {
    store.intercept = () => false;
    await Promise.all(running.map(({ election }) => election.stop()));
    running = [];
    await store.api.stop();
  });

  it('makes the lease and renews it', async () => {
    const one = start('one');
    await until('a leader', () => isLeading(one));
    assert.equal(store.writes[0]?.method, 'POST');
    assert.deepEqual([spec()['holderIdentity'], spec()['leaseTransitions']], ['one', 0]);
    assert.match(String(spec()['renewTime']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    const { acquireTime } = spec();
    await until('renewals', () => store.writes.length > 3);
    assert.equal(spec()['acquireTime'], acquireTime);
    assert.equal(one.terms.length, 1);
    assert.equal(one.terms[0]?.aborted, false);
  });

  it('has one leader among two, and another one at once when it stops', async () => {
    const [one, two] = [start('one'), start('two')];
    await until('a leader', () => [one, two].some(isLeading));
    const [leader, other] = isLeading(one) ? [one, two] : [two, one];
    await until('renewals', () => store.writes.length > 5);
    assert.equal(isLeading(other), false);
    assert.equal(other.terms.length, 0);
    const stopped = leader.election.stop();
    await stopped;
    assert.equal(leader.terms[0]?.aborted, true);
    await until('the other one', () => isLeading(other));
    assert.equal(spec()['leaseTransitions'], 1);
  });

  it('gives the lease back with no holder when it stops', async () => {
    const one = start('one');
    await until('a leader', () => isLeading(one));
    await one.election.stop();
    assert.deepEqual([spec()['holderIdentity'], spec()['leaseDurationSeconds']], ['', 1]);
    assert.equal(isLeading(one), false);
  });

  it('takes over a lease that nobody renews, whatever time stands in it', async () => {
    lease('gone', { renewTime: '2999-01-01T00:00:00.000000Z' });
    const one = start('one');
    await until('looks', () => store.api.requests.length > 3);
    assert.equal(isLeading(one), false);
    await until('a leader', () => isLeading(one));
    assert.deepEqual([spec()['holderIdentity'], spec()['leaseTransitions']], ['one', 5]);
    assert.deepEqual(store.get(PATH)?.metadata['labels'], { kept: 'yes' });
  });

  it('takes over a lease whose transitions are as many as its type can say', async () => {
    lease('', { leaseTransitions: 2 ** 31 - 1 });
    const one = start('one');
    await until('a leader', () => isLeading(one));
    assert.deepEqual([spec()['holderIdentity'], spec()['leaseTransitions']], ['one', 0]);
  });

  it('leaves a lease alone that is renewed, whatever old time stands in it', async () => {
    const one = start('one', { ...TIMING, retryMs: 50 });
    await one.election.stop();
    let renewals = 0;
    const renew = (): void =>
      void lease('other', { renewTime: `1999-01-01T00:00:00.${String((renewals += 1)).padStart(6, '0')}Z` });
    renew();
    const timer = setInterval(renew, 100);
    const two = start('two');
    await until('two lives of a lease', () => renewals > 20);
    clearInterval(timer);
    assert.equal(two.terms.length, 0);
    await until('a leader', () => isLeading(two));
  });

  it('stops leading when it cannot renew in time, before anybody else may lead, and leads again', async () => {
    const one = start('one');
    await until('a leader', () => isLeading(one));
    store.intercept = (_request, response) => {
      response.destroy();
      return true;
    };
    await until('the end of its term', () => one.terms[0]?.aborted === true);
    assert.equal(isLeading(one), false);
    assert.ok(one.errors.length > 0 && one.errors.every((error) => error instanceof KubernetesApiError));
    assert.equal(spec()['holderIdentity'], 'one');
    store.intercept = () => false;
    await until('another term', () => isLeading(one));
    assert.equal(one.terms.length, 2);
    assert.equal(spec()['leaseTransitions'], 0);
  });

  it('stops leading when the API server does not answer at all', async () => {
    const one = start('one');
    await until('a leader', () => isLeading(one));
    store.intercept = () => true;
    await until('the end of its term', () => one.terms[0]?.aborted === true);
  });

  it('goes on through a conflict, and says nothing of it', async () => {
    const one = start('one');
    await until('a leader', () => isLeading(one));
    let conflicts = 0;
    store.intercept = (request, response) => {
      if (request.method !== 'PUT' || conflicts === 3) return false;
      conflicts += 1;
      response.statusCode = 409;
      response.end('{"kind":"Status","reason":"Conflict"}');
      return true;
    };
    await until('conflicts', () => conflicts === 3);
    const before = store.writes.length;
    await until('renewals', () => store.writes.length > before + 1);
    assert.equal(one.terms.length, 1);
    assert.equal(one.terms[0]?.aborted, false);
    assert.deepEqual(one.errors, []);
  });

  it('stops leading at once when another one holds the lease', async () => {
    const one = start('one');
    await until('a leader', () => isLeading(one));
    lease('usurper', { leaseDurationSeconds: 30 });
    await until('the end of its term', () => one.terms[0]?.aborted === true);
    await one.election.stop();
    assert.equal(spec()['holderIdentity'], 'usurper');
  });

  it('makes the lease again when it was deleted', async () => {
    const one = start('one');
    await until('a leader', () => isLeading(one));
    store.delete(PATH);
    await until('a lease', () => store.get(PATH) !== undefined);
    assert.equal(one.terms.length, 1);
  });
});
