// How is the whole process tested in a cluster? The real service, put together as serve does, on an API server in memory:
// several of them share one. What the API server does wrong is left to the suites.
import { startService, type Service } from '../../src/cli/service.ts';
import { withDefaults } from '../../src/config.ts';
import { SERVE_OPTIONS } from '../../src/options.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { type FakeStore, startFakeStore } from '../kubernetes/fake-store.ts';
import { toAnswer, type Answer } from './controller.ts';
import { post, type PostOptions } from './https-client.ts';

/** Where our kinds are. */
export const OUR_API = '/apis/modelpolicy.dev/v1alpha1';
/** The controller's namespace, which is also that of its Secrets and its Lease. */
export const OWN_NAMESPACE = 'own';

/** An API server in memory and the services on it. */
export interface TestCluster {
  readonly store: FakeStore;
  /** Starts a service; it need not be ready when this returns. @param more options of serve */
  start(more?: object): Promise<Service>;
  /** Stores one of our objects, a namespaced one as `namespace/name`; each time under a new generation. */
  put(resource: string, name: string, spec: object): void;
  /** Stores a Namespace. */
  putNamespace(name: string, labels?: object): void;
  stop(): Promise<void>;
}

/** Starts the API server alone. */
export async function startTestCluster(): Promise<TestCluster> {
  const store = await startFakeStore();
  const services: Service[] = [];
  let generation = 0;
  return {
    store,
    async start(more = {}) {
      const values = {
        kubeconfig: store.api.kubeconfig,
        'controller-namespace': OWN_NAMESPACE,
        listen: '127.0.0.1:0',
        'metrics-listen': '127.0.0.1:0',
        offline: true,
        ...more,
      };
      const service = await startService(withDefaults(SERVE_OPTIONS, values, {}), createLogger('silent'));
      services.push(service);
      return service;
    },
    put(resource, name, spec) {
      const [last = '', namespace] = name.split('/').toReversed();
      const place = namespace === undefined ? '' : `/namespaces/${namespace}`;
      generation += 1;
      store.put(`${OUR_API}${place}/${resource}/${last}`, {
        apiVersion: 'modelpolicy.dev/v1alpha1',
        kind: resource,
        metadata: { name: last, generation, ...(namespace === undefined ? {} : { namespace }) },
        spec,
      });
    },
    putNamespace(name, labels = {}) {
      store.put(`/api/v1/namespaces/${name}`, { kind: 'Namespace', metadata: { name, labels } });
    },
    async stop() {
      store.intercept = () => false;
      await Promise.all(services.map((service) => service.stop()));
      await store.api.stop();
    },
  };
}

/** Posts a review to a service. @param ca when its certificate is not of its own making */
export async function askService(
  { address, ca = '' }: Pick<Service, 'address' | 'ca'>,
  review: object,
  options: PostOptions = {},
): Promise<Answer> {
  return toAnswer(review, await post({ address, ca }, JSON.stringify(review), options));
}

/** Status and text of `/readyz`. */
export async function readReadiness({
  metricsAddress,
}: Pick<Service, 'metricsAddress'>): Promise<readonly [number, string]> {
  const response = await fetch(`http://${metricsAddress}/readyz`, { headers: { connection: 'close' } });
  return [response.status, await response.text()];
}

/** The metrics' text. */
export async function readMetrics({ metricsAddress }: Pick<Service, 'metricsAddress'>): Promise<string> {
  const response = await fetch(`http://${metricsAddress}/metrics`, { headers: { connection: 'close' } });
  return response.text();
}
