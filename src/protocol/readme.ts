import { packageFields } from './lenient-manifest.ts'

/** What people read first of a version. */
export interface Readme {
  /** In the crate, such as `docs/README.md`. */
  readonly path: string
  /** As it was written: Markdown, most often. */
  readonly text: string
}

/** What cargo takes when the manifest does not say, the first that there is. */
export const USUAL_READMES: readonly string[] = ['README.md', 'README.txt', 'README']

/** The files that may be the README of a crate by its `Cargo.toml`, the best first; none when it says that there is none. */
export function readmePaths(manifest: Uint8Array): readonly string[] {
  const { readme } = packageFields(manifest)
  if (readme === false) return []
  if (typeof readme !== 'string') return readme === true ? USUAL_READMES.slice(0, 1) : USUAL_READMES
  return [readme.replaceAll('\\', '/').replace(/^(?:\.\/+)+/, '')]
}

/** The text of a README, or of its beginning: what is no UTF-8 in it is marked, half a character at the end left out. */
export function decodeReadme(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(bytes, { stream: true })
}
