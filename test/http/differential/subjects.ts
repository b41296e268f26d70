import { indexPath } from '../../../src/protocol/name.ts'
import { type CrateFile, crateFile } from '../../support/crate-file.ts'

/** Who asks. */
export interface Asker {
  readonly name: string
  readonly credential?: string
}

/** A crate that is asked for, or a name that nobody has. */
export interface Subject {
  readonly name: string
  readonly owner: string
  readonly isThere: boolean
  /** Only the owner reads it, with whatever token. */
  readonly isHidden: boolean
}

export const OWNER = 'canary-owner'
/** Owner of what everybody reads. */
export const OTHER = 'bob'
export const ADMIN = 'root'

/** The tokens are the names with `-token` behind. */
export const ASKERS: readonly Asker[] = [
  { name: OWNER, credential: `${OWNER}-token` },
  { name: OTHER, credential: `${OTHER}-token` },
  { name: 'reader', credential: 'reader-token' },
  { name: 'nobody' },
  { name: ADMIN, credential: `${ADMIN}-token` },
]

export const HIDDEN: Subject = { name: 'acme-hidden', owner: OWNER, isThere: true, isHidden: true }
/** As hidden as the other, if it were there. */
export const ABSENT: Subject = { name: 'acme-absent', owner: OWNER, isThere: false, isHidden: true }
export const OPEN: Subject = { name: 'open-public', owner: OTHER, isThere: true, isHidden: false }
/** Everybody would read it. */
export const OPEN_ABSENT: Subject = { name: 'open-absent', owner: OTHER, isThere: false, isHidden: false }
/** Hidden crates whose names are words of paths. */
export const WORDS: readonly Subject[] = ['cargo', 'api', 'index', 'me', 'new', 'owners', 'crates'].map(
  (name) => ({ name, owner: OWNER, isThere: true, isHidden: true }),
)

export const HIDDEN_NAMES: ReadonlySet<string> = new Set(
  [HIDDEN, ABSENT, ...WORDS].map(({ name }) => name.replaceAll('-', '_')),
)

/** What only those may ever see who read the hidden crates; bytes of files come on top. */
export const CANARIES = [
  OWNER,
  'canary-dependency',
  'canary-keyword',
  'canary-feature',
  'canary description',
  'canary readme',
  'canary.example',
  '3.14.15-canary',
] as const

/** The crate as its owner publishes it: a hidden one is full of canaries, and depends on the open one of `index`. */
export function subjectFile({ name, isHidden }: Subject, index: string, version = '1.0.0'): CrateFile {
  const file = crateFile(name, version)
  if (!isHidden) return file
  const [, dependency, keyword, feature, description, readme, host] = CANARIES
  return file
    .package({ description, keywords: [keyword], readme: 'README.md', homepage: `https://${host}/` })
    .dep(dependency, { version: '1', optional: true })
    .dep(OPEN.name, { version: '1', own: true, 'registry-index': index })
    .feature(feature, [])
    .add(`${name}-${version}/README.md`, `# ${readme}\n`)
}

/** Both of its versions. */
export function subjectFiles(subject: Subject, index: string): readonly CrateFile[] {
  const files = [subjectFile(subject, index)]
  return subject.isHidden ? [...files, subjectFile(subject, index, CANARIES[7])] : files
}

/** The path of an index file, split as the routes split it. */
export function indexParts(name: string): readonly string[] {
  return indexPath(name).split('/')
}
