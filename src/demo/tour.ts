// Does the server answer every sample as it should? Sends one pod per sample through the real HTTPS endpoint and
// prints what came back.
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'undici';
import { toArray, toRecord, toText } from '../lib/text.ts';
import { toSamplePod, type Sample } from './samples.ts';

/** One answered sample. */
export interface TourRow {
  readonly sample: Sample;
  readonly allowed: boolean;
  readonly reason: string;
  readonly milliseconds: number;
  /** True when verdict and reason are what the sample calls for. */
  readonly isRight: boolean;
}

/** Asks about every sample in turn. @param ca PEM of the server's CA */
export async function takeTour(
  address: string,
  ca: string,
  samples: readonly Sample[],
): Promise<readonly TourRow[]> {
  const agent = new Agent({ connect: { ca } });
  try {
    const rows: TourRow[] = [];
    for (const sample of samples) rows.push(await ask(address, sample, agent));
    return rows;
  } finally {
    await agent.close();
  }
}

async function ask(address: string, sample: Sample, dispatcher: Agent): Promise<TourRow> {
  const started = performance.now();
  const { body } = await request(`https://${address}/validate?timeout=10s`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        uid: randomUUID(),
        kind: { group: '', version: 'v1', kind: 'Pod' },
        resource: { group: '', version: 'v1', resource: 'pods' },
        operation: 'CREATE',
        name: sample.pod,
        namespace: 'default',
        userInfo: { username: 'tour' },
        object: toSamplePod(sample),
      },
    }),
    dispatcher,
  });
  const response = toRecord(toRecord(await body.json())['response']);
  const milliseconds = performance.now() - started;
  const causes = toArray(toRecord(toRecord(response['status'])['details'])['causes']);
  const reasons = [...new Set(causes.map((cause) => toText(toRecord(cause)['reason']) ?? ''))];
  const allowed = response['allowed'] === true;
  const reason = reasons.join(', ');
  return {
    sample,
    allowed,
    reason,
    milliseconds,
    isRight: allowed === (sample.reason === undefined) && reason === (sample.reason ?? ''),
  };
}

/** The table of a tour. */
export function toTourTable(rows: readonly TourRow[]): string {
  const cells = rows.map(({ sample, allowed, reason, milliseconds, isRight }) => [
    sample.pod,
    sample.what,
    `${allowed ? 'admitted' : 'denied'}${isRight ? '' : ' (WRONG)'}`,
    reason,
    milliseconds.toFixed(1),
  ]);
  const table = [['POD', 'MODEL', 'VERDICT', 'REASON', 'MS'], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
