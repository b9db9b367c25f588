// What do rules do with URLs? Kubernetes' url library over url.ts.
import type { CelFunction } from './cel-function.ts';
import { charge } from './meter.ts';
import { succeeds } from './succeeds.ts';
import { parseQuery, parseUrl, splitHost, type Url } from './url.ts';

const URL_TYPE = 'kubernetes.URL';
// Each character is looked at several times, as a byte.
const COST = 60;
const COST_PER_CHARACTER = 4;

/** Functions of kubernetes.URL. */
export const urls: readonly CelFunction[] = [
  {
    signature: `__url(string): ${URL_TYPE}`,
    cost: COST,
    costPerCharacter: COST_PER_CHARACTER,
    run: parseUrl,
  },
  {
    signature: '__isURL(string): bool',
    cost: COST,
    costPerCharacter: COST_PER_CHARACTER,
    run: (text: string) => succeeds(() => parseUrl(text)),
  },
  { signature: `${URL_TYPE}.__getScheme(): string`, run: (url: Url) => url.scheme },
  { signature: `${URL_TYPE}.__getHost(): string`, run: (url: Url) => url.host },
  { signature: `${URL_TYPE}.__getHostname(): string`, cost: 4, run: (url: Url) => splitHost(url).name },
  { signature: `${URL_TYPE}.__getPort(): string`, cost: 4, run: (url: Url) => splitHost(url).port },
  { signature: `${URL_TYPE}.__getEscapedPath(): string`, run: (url: Url) => url.escapedPath },
  { signature: `${URL_TYPE}.__getQuery(): map<string, list<string>>`, run: getQuery },
];

// A URL's length is not that of an argument, so its query is charged here.
function getQuery(url: Url): Map<string, string[]> {
  charge(COST + COST_PER_CHARACTER * url.query.length);
  return parseQuery(url);
}
