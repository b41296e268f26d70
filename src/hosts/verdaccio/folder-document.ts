/** An object in a folder: small ones are in the document itself, others in a file of the package. */
export interface FolderEntry {
  /** Bytes. */
  readonly size: number
  /** RFC 3339. */
  readonly modified: string
  /** The bytes, base64. */
  readonly data?: string
  /** The file that has them. */
  readonly file?: string
}

/** What is in a folder of keys. */
export interface FolderDocument {
  readonly objects: Readonly<Record<string, FolderEntry>>
  /** Names of the folders in it. */
  readonly folders: readonly string[]
}

/** Store plugins keep npm manifests; some look at these of their fields. */
interface Manifest {
  readonly name: string
  readonly versions: object
  readonly 'dist-tags': object
  readonly cargo: FolderDocument
}

const EMPTY: FolderDocument = { objects: {}, folders: [] }

/** The document of a folder as a plugin keeps it. */
export function encodeFolder(name: string, cargo: FolderDocument): Manifest {
  return { name, versions: {}, 'dist-tags': {}, cargo }
}

/**
 * Reads it; a folder that was never written is empty.
 * @throws {Error} for a document of something else: taken for an empty folder, it would be overwritten
 */
export function parseFolder(name: string, document: unknown): FolderDocument {
  if (document === undefined) return EMPTY
  const { cargo } = (document ?? {}) as { readonly cargo?: Partial<FolderDocument> }
  if (typeof cargo?.objects !== 'object' || !Array.isArray(cargo.folders))
    throw new Error(`the document of \`${name}\` is none of ours`)
  return { objects: cargo.objects, folders: cargo.folders }
}

/** The folder with an object in it. */
export function withObject(folder: FolderDocument, name: string, entry: FolderEntry): FolderDocument {
  return { ...folder, objects: { ...folder.objects, [name]: entry } }
}

/** The folder without an object. */
export function withoutObject(folder: FolderDocument, name: string): FolderDocument {
  const { [name]: _, ...objects } = folder.objects
  return { ...folder, objects }
}

/** The folder with another one in it. */
export function withFolder(folder: FolderDocument, name: string): FolderDocument {
  return folder.folders.includes(name) ? folder : { ...folder, folders: [...folder.folders, name] }
}
