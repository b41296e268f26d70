import type { FeatureMap, IndexDep, IndexEntry } from './index-entry.ts'
import { type EntryHead, type LineAt, parseLineAgain } from './index-lines.ts'

/** Bytes of lines whose rare fields are held in two generations each; what is read of them takes some six times as much. */
const MAX_HELD = 4 * 1024 * 1024

type RareFields = Pick<IndexEntry, 'deps' | 'features' | 'features2'>

/** What was read last, and before that: the older ones go when there are too many new ones. */
let recent = new Map<UpstreamEntry, RareFields>()
let older = new Map<UpstreamEntry, RareFields>()
let held = 0

/**
 * A valid entry of an index file that stays in memory as bytes: of most of a crate's versions nobody ever asks what they
 * depend on, so that is read from the line when somebody does. To copy one, name its fields.
 */
// A class: the getters of some hundred thousand objects have to be on their prototype.
export class UpstreamEntry implements IndexEntry {
  readonly name: string
  readonly vers: string
  readonly cksum: string
  readonly yanked: boolean
  // Declared only: what a line does not say is no property.
  declare readonly links?: string | null
  declare readonly rust_version?: string | null
  declare readonly pubtime?: string
  declare readonly v?: number
  readonly #body: Buffer
  readonly #at: LineAt

  /** The head is what the line at `at` in `body` says. */
  constructor(
    { name, vers, cksum, yanked, links, rust_version, pubtime, v }: EntryHead,
    body: Buffer,
    at: LineAt,
  ) {
    this.name = name
    this.vers = vers
    this.cksum = cksum
    this.yanked = yanked
    if (links !== undefined) this.links = links
    if (rust_version !== undefined) this.rust_version = rust_version
    if (pubtime !== undefined) this.pubtime = pubtime
    if (v !== undefined) this.v = v
    this.#body = body
    this.#at = at
  }

  get deps(): readonly IndexDep[] {
    return this.#rare.deps
  }

  get features(): FeatureMap {
    return this.#rare.features
  }

  get features2(): FeatureMap | undefined {
    return this.#rare.features2
  }

  get #rare(): RareFields {
    const known = recent.get(this) ?? older.get(this)
    if (known !== undefined) return known
    const { from, to } = this.#at
    const { deps, features, features2 } = parseLineAgain(this.#body.toString('utf8', from, to))
    const rare = { deps, features, ...(features2 !== undefined && { features2 }) }
    hold(this, rare, to - from)
    return rare
  }
}

function hold(entry: UpstreamEntry, rare: RareFields, bytes: number): void {
  held += bytes
  if (held > MAX_HELD) {
    older = recent
    recent = new Map()
    held = bytes
  }
  recent.set(entry, rare)
}
