// What can go wrong between us and the API server: one typed error for a request, one for a watch.
// Names the cause so that callers never read messages; whether to log, deny or retry is left to them.

/** A request that got no usable answer. `status` is the HTTP status, 0 when there was no (complete) HTTP answer. */
export class KubernetesApiError extends Error {
  override readonly name = 'KubernetesApiError';
  readonly status: number;
  /**
   * The `reason` of the API server's `Status` (`NotFound`, `Forbidden`, `Expired`, …), else the code of the
   * transport error (`ECONNREFUSED`, …), else one of ours: `Aborted`, `IdleTimeout`, `ResponseTooLarge`,
   * `ResponseMalformed`, `CredentialsUnreadable`.
   */
  readonly reason: string;

  constructor(detail: { status: number; reason: string; message: string; cause?: unknown }) {
    super(detail.message, { cause: detail.cause });
    this.status = detail.status;
    this.reason = detail.reason;
  }
}

/** The kubeconfig file or the in-cluster environment cannot be used; the message says what is missing. */
export class KubernetesConfigError extends Error {
  override readonly name = 'KubernetesConfigError';
}

/**
 * `Unreachable`: no (complete) answer · `Refused`: the API server answered with an error · `Expired`: the
 * resource version is too old, a new list follows · `Malformed`: an answer that is no list or no watch event ·
 * `ConsumerFailed`: `onChange` threw.
 */
export type KubernetesWatchErrorKind = 'Unreachable' | 'Refused' | 'Expired' | 'Malformed' | 'ConsumerFailed';

/** A list or watch that failed and is tried again; the last known state stays in force meanwhile. */
export class KubernetesWatchError extends Error {
  override readonly name = 'KubernetesWatchError';
  readonly kind: KubernetesWatchErrorKind;
  /** The collection that is watched, without query. */
  readonly path: string;

  constructor(kind: KubernetesWatchErrorKind, path: string, cause: unknown) {
    super(`${path}: ${kind}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.kind = kind;
    this.path = path;
  }
}
