// What does a component of an InferenceService say beside its pod spec? The container of its runtime, which KServe
// merges into the pod, written out as a member named after the framework (kserve pkg/apis/serving/v1beta1).
import { isRecord } from '../lib/text.ts';
import { toContainer, type Container } from './container.ts';

const FRAMEWORKS = new Set([
  'model',
  'sklearn',
  'xgboost',
  'tensorflow',
  'pytorch',
  'triton',
  'onnx',
  'huggingface',
  'pmml',
  'lightgbm',
  'paddle',
  'art',
]);

// What a schema can name: anything else would be pruned, and has no business in a field path.
const MEMBER = /^[A-Za-z][A-Za-z0-9]{0,62}$/;

/** The runtimes of a component: known frameworks, and whatever else says where its model is. */
export function toRuntimes(
  component: Readonly<Record<string, unknown>>,
  componentPath: string,
): readonly Container[] {
  return Object.entries(component).flatMap(([name, value]) =>
    isRecord(value) && (FRAMEWORKS.has(name) || (MEMBER.test(name) && Object.hasOwn(value, 'storageUri')))
      ? [toContainer(value, 'runtime', `${componentPath}.${name}`)]
      : [],
  );
}
