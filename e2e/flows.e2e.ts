// Does a cluster decide what policy-controller's own e2e flows demand, where they apply to models? One story for each, by
// the number that docs/e2e.md gives it, on one installation; what every flow is stands in flows/.
import { describeSigners } from './flows/signers.ts';
import { createStory, pinnedRoot, type Story } from './flows/story.ts';
import { install, type Installation } from './support/installation.ts';

const NAMESPACES = [
  'flow-4',
  'flow-5',
  'flow-6',
  'flow-7',
  'flow-7-or',
  'flow-7-sct',
  'flow-9',
  'flow-9-right',
  'flow-9-wrong',
  'flow-10',
  'flow-11',
];

describe('a cluster like that of policy-controller’s flows', () => {
  let installation: Installation | undefined;
  let story: Story;

  before(async () => {
    installation = await install({ namespaces: NAMESPACES });
    story = await createStory(installation);
    await story.enforce(pinnedRoot('private', story.sigstore.trustedRootJson()));
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.error(installation?.service.log().slice(-3000));
  });

  after(() => installation?.stop());

  describe('about signers', () => describeSigners(() => story));
});
