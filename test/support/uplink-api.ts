import type { IndexEntry } from '../../src/protocol/index-entry.ts'
import type { UplinkContent, UplinkVersion } from './uplink-content.ts'

const AT = '2020-01-02T03:04:05.678901+00:00'
const OF_CRATE = /^\/api\/v1\/crates\/([\w-]+)(\/owners)?$/

/** What crates.io's API would answer for a crate, whatever the spelling; `undefined` for what there is none of. */
export function crateAnswer(content: UplinkContent, { pathname, searchParams }: URL): object | undefined {
  const [, name, owners] = OF_CRATE.exec(pathname) ?? []
  if (name === undefined) return undefined
  const versions = [...content.versions()].filter((it) => folded(it.name) === folded(name))
  if (versions.length === 0) return undefined
  if (owners !== undefined) return { users: [OWNER, TEAM] }
  const parts = searchParams.get('include')?.split(',')
  const includes = (part: string) => parts === undefined || parts.includes(part)
  return {
    crate: {
      id: versions[0]?.name,
      name: versions[0]?.name,
      created_at: AT,
      updated_at: AT,
      ...about(versions[0]?.name ?? ''),
      keywords: includes('keywords') ? ['web', 'fast'] : null,
      categories: includes('categories') ? ['os::unix-apis'] : null,
      downloads: 1_000_000,
    },
    versions: includes('versions') ? versions.map(versionAnswer).toReversed() : null,
  }
}

const OWNER = {
  id: 3618,
  login: 'dtolnay',
  kind: 'user',
  name: 'David Tolnay',
  avatar: 'https://avatars.example/1',
  url: 'https://github.example/dtolnay',
}
const TEAM = {
  id: 7,
  login: 'github:serde-rs:publish',
  kind: 'team',
  name: 'publish',
  avatar: null,
  url: 'https://github.example/serde-rs',
}

function versionAnswer({ name, version, line, cksum, bytes }: UplinkVersion): object {
  const { yanked, features, rust_version = null } = JSON.parse(line) as IndexEntry
  return {
    id: 1,
    crate: name,
    num: version,
    created_at: AT,
    ...{ yanked, features, rust_version },
    checksum: cksum,
    license: 'MIT OR Apache-2.0',
    crate_size: bytes?.length ?? null,
    published_by: OWNER,
    edition: '2021',
    has_lib: true,
    bin_names: [],
    ...about(name),
  }
}

function about(name: string): object {
  return {
    description: `The crate ${name}`,
    homepage: null,
    documentation: `https://docs.example/${name}`,
    repository: `https://git.example/${name}`,
  }
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll('-', '_')
}
