// Which signatures over files on disk are recorded, and which verdict is right? Each recorded model as it is, with a file
// changed, with one added, and under other trust; and the vectors of the schema, to which no files belong.
import { cpSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Whose signature counts. */
export type FileTrust =
  | { readonly kind: 'key' | 'roots'; readonly file: string }
  | { readonly kind: 'identity'; readonly issuer: string; readonly subject: string };

/** One documented verdict on files. */
export interface FileCheck {
  readonly label: string;
  /** A directory or one file. */
  readonly model: string;
  readonly bundle: string;
  readonly ignoredPaths: readonly string[];
  readonly trust: FileTrust;
  readonly accepts: boolean;
  /** Whether the files are the signed ones, so that only the signer can be wrong. */
  readonly hasSignedFiles: boolean;
}

/** Who signed the keyless ones. */
const SIGNER: FileTrust = {
  kind: 'identity',
  issuer: 'https://sigstore.verify.ibm.com/oauth2',
  subject: 'stefanb@us.ibm.com',
};
const VERSIONS = ['v1.0.0', 'v1.0.1'] as const;

/** Every check of the recorded bundles below a directory. @param scratch directory for changed copies */
export function toFileChecks(directory: string, scratch: string): readonly FileCheck[] {
  return [...toRecordedChecks(directory, scratch), ...toInvalidChecks(directory)];
}

function toRecordedChecks(directory: string, scratch: string): readonly FileCheck[] {
  const recorded = path.join(directory, 'model-transparency');
  const keys = path.join(recorded, 'keys', 'certificate');
  const methods: Readonly<Record<string, FileTrust>> = {
    certificate: { kind: 'roots', file: path.join(keys, 'ca-cert.pem') },
    'elliptic-key': { kind: 'key', file: path.join(keys, 'signing-key-pub.pem') },
    sigstore: SIGNER,
  };
  return VERSIONS.flatMap((version) =>
    Object.entries(methods).flatMap(([method, trust]) => {
      const name = `${version}-${method}`;
      const others = Object.values(methods).filter((other) => other !== trust);
      return toModelChecks(path.join(recorded, name), scratch, { name, trust, others });
    }),
  );
}

interface Recorded {
  readonly name: string;
  readonly trust: FileTrust;
  readonly others: readonly FileTrust[];
}

function toModelChecks(
  source: string,
  scratch: string,
  { name, trust, others }: Recorded,
): readonly FileCheck[] {
  const changed = path.join(scratch, name, 'changed');
  const grown = path.join(scratch, name, 'grown');
  for (const copy of [changed, grown]) cpSync(source, copy, { recursive: true });
  writeFileSync(path.join(changed, 'signme-1'), 'something else');
  writeFileSync(path.join(grown, 'extra'), 'more');
  const isOneFile = name === 'v1.0.0-elliptic-key';
  const check = (label: string, model: string, by: FileTrust, accepts: boolean): FileCheck => ({
    label: `${name} ${label}`,
    model: isOneFile ? path.join(model, 'signme-1') : model,
    bundle: path.join(model, 'model.sig'),
    // What was in the directory when it was signed, and was left out.
    ignoredPaths: existsSync(path.join(model, 'ignore-me')) ? ['ignore-me'] : [],
    trust: by,
    accepts,
    hasSignedFiles: model === source,
  });
  return [
    check('as recorded', source, trust, true),
    check('with a changed file', changed, trust, false),
    // Neighbours of a single file are no part of the model.
    check('with another file', grown, trust, isOneFile),
    ...others.map((other) => check(`under ${other.kind}`, source, other, false)),
  ];
}

/** Schema vectors: no files belong to them, and none may pass over any. */
function toInvalidChecks(directory: string): readonly FileCheck[] {
  const vectors = path.join(directory, 'model-signing-spec', 'test-vectors', 'v1.0');
  const model = path.join(directory, 'model-transparency', 'v1.0.1-elliptic-key');
  const file = path.join(directory, 'model-transparency', 'keys', 'certificate', 'signing-key-pub.pem');
  const key: FileTrust = { kind: 'key', file };
  return ['invalid', 'invalid-payload', 'valid'].flatMap((folder) =>
    readdirSync(path.join(vectors, folder)).flatMap((name) =>
      [key, SIGNER].map((trust) => ({
        label: `${folder}/${name} under ${trust.kind}`,
        model,
        bundle: path.join(vectors, folder, name),
        ignoredPaths: [],
        trust,
        accepts: false,
        hasSignedFiles: false,
      })),
    ),
  );
}

/** The parameters of `verify-files` for a check. */
export function toVerifyFilesParameters(
  { model, bundle, ignoredPaths, trust }: Omit<FileCheck, 'label' | 'accepts' | 'hasSignedFiles'>,
  trustedRoot?: string,
): readonly string[] {
  const signer =
    trust.kind === 'identity'
      ? [
          '--issuer',
          trust.issuer,
          '--subject',
          trust.subject,
          ...(trustedRoot === undefined ? [] : ['--trusted-root', trustedRoot]),
        ]
      : [`--${trust.kind}`, trust.file];
  const ignored = ignoredPaths.flatMap((name) => ['--ignore-path', name]);
  return [model, '--bundle', bundle, ...ignored, ...signer, '--json'];
}
