// Writes the rules of deploy/base/webhook.yaml from the kinds that are read: `npm run webhook` after every change of them.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { toWebhookRules } from '../src/admission/registration.ts';

const file = new URL('base/webhook.yaml', import.meta.url);
const document = parseDocument(readFileSync(file, 'utf8'));
// The first webhook judges models; the second, policies, whose kinds are no workloads.
document.setIn(['webhooks', 0, 'rules'], document.createNode(toWebhookRules(), { flow: false }));
writeFileSync(file, document.toString({ lineWidth: 120 }));
