// Where do the keys and roots that policies name come from? Secrets and ConfigMaps by namespace and name, as plain
// values; whoever watches or reads them fills the map.

/** Data of a Secret or ConfigMap, decoded. */
export type MaterialData = ReadonlyMap<string, Buffer>;

/** Secrets and ConfigMaps by `kind/namespace/name`. */
export type SourceMaterial = ReadonlyMap<string, MaterialData>;

/** The key of an object in {@link SourceMaterial}. */
export function toMaterialKey(kind: 'Secret' | 'ConfigMap', namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}

/** What names are looked up in. */
export interface MaterialContext {
  readonly material: SourceMaterial;
  /** Namespace of the Secrets and ConfigMaps that are meant: the controller's, for a ModelPolicy its own. */
  readonly controllerNamespace: string;
  /** True where objects are read one by one, by rights that may be lacking: what is not known may still be there. */
  readonly isReadByName?: boolean;
}

/** What can be said of an object that is not known. */
export function toAbsence({ isReadByName = false }: MaterialContext): string {
  return isReadByName ? 'does not exist, or the controller has not read it' : 'does not exist';
}
