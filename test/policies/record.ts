// Makes the recorded registries of the shipped policies' tests again, with new throw-away keys. Digests of the models
// stay the same. Run: node test/policies/record.ts [POLICY…]
import { AGE_LIMIT } from './material/age-limit.ts';
import { AIR_GAP } from './material/air-gap.ts';
import { AUDIT_FIRST } from './material/audit-first.ts';
import { GITHUB_WORKFLOW } from './material/github-workflow.ts';
import { HYBRID_POST_QUANTUM } from './material/hybrid-post-quantum.ts';
import { ML_BOM } from './material/ml-bom.ts';
import { MODEL_REQUIRED } from './material/model-required.ts';
import { NO_PICKLE } from './material/no-pickle.ts';
import { ORGANISATION_KEY } from './material/organisation-key.ts';
import { PRIVATE_PKI } from './material/private-pki.ts';
import { SIZE_LIMIT } from './material/size-limit.ts';
import { SLSA_PROVENANCE } from './material/slsa-provenance.ts';
import { TWO_PERSON_RULE } from './material/two-person-rule.ts';
import { recordPolicy, type PolicyMaterial } from './recorder.ts';

const LIBRARY: readonly PolicyMaterial[] = [
  AGE_LIMIT,
  AIR_GAP,
  AUDIT_FIRST,
  GITHUB_WORKFLOW,
  HYBRID_POST_QUANTUM,
  ML_BOM,
  MODEL_REQUIRED,
  NO_PICKLE,
  ORGANISATION_KEY,
  PRIVATE_PKI,
  SIZE_LIMIT,
  SLSA_PROVENANCE,
  TWO_PERSON_RULE,
];

const wanted = new Set(process.argv.slice(2));
for (const material of LIBRARY)
  if (wanted.size === 0 || wanted.has(material.policy))
    for (const [name, reference] of await recordPolicy(material))
      console.log(`${material.policy}: ${name}: ${reference}`);
