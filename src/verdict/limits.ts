// How much is said about one request? Bounds of findings, shared by those who make and those who fold them.

/** Most findings of one field path (docs: limits). */
export const MAX_FINDINGS_PER_REFERENCE = 8;
/** Most findings of one request (docs: limits). */
export const MAX_FINDINGS = 32;
