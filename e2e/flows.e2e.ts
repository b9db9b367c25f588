// Does a cluster decide what policy-controller's own e2e flows demand, where they apply to models? One story for each, by
// the number that docs/e2e.md gives it, on one installation; what every flow is stands in flows/.
import { startMirror, type TestMirror } from '../test/trust/tuf-mirror.ts';
import { describeEvidence } from './flows/evidence.ts';
import { describeObjects } from './flows/objects.ts';
import { describeModes } from './flows/modes.ts';
import { describeRoots } from './flows/roots.ts';
import { describeSigners } from './flows/signers.ts';
import { createStory, pinnedRoot, type Story } from './flows/story.ts';
import { install, type Installation } from './support/installation.ts';

const NUMBERS = [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 20, 22, 23, 24, 25, 26, 27, 28, 29, 31];
const NAMESPACES = [
  ...NUMBERS.map((flow) => `flow-${flow}`),
  'flow-7-or',
  'flow-7-sct',
  'flow-9-right',
  'flow-9-wrong',
  'flow-18-right',
  'flow-18-wrong',
  'flow-29-other',
];

describe('a cluster like that of policy-controller’s flows', () => {
  let mirror: TestMirror | undefined;
  let installation: Installation | undefined;
  let story: Story;

  before(async () => {
    mirror = await startMirror(new Map());
    installation = await install({ namespaces: NAMESPACES, plainHttp: [new URL(mirror.url).host] });
    story = await createStory(installation);
    await story.enforce(pinnedRoot('private', story.sigstore.trustedRootJson()));
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.error(installation?.service.log().slice(-3000));
  });

  after(async () => {
    await installation?.stop();
    await mirror?.close();
  });

  describe('about signers', () => describeSigners(() => story));
  describe('about attestations', () => describeEvidence(() => story));
  describe('about trust roots', () =>
    describeRoots(
      () => story,
      () => mirror as TestMirror,
    ));
  describe('about objects', () => describeObjects(() => story));
  // Last: they let the API server ask other replicas.
  describe('about options', () => describeModes(() => story));
});
