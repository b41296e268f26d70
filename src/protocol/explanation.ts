/** Where a crate comes from, and why a version of it is or is not served. */
export interface Explanation {
  readonly crate: string
  readonly version?: string
  /** All of the rest in a sentence or two. */
  readonly explanation: string
  /** `none`: nobody has it; `unknown`: an uplink that may have it cannot be asked. */
  readonly source: 'local' | 'uplink' | 'none' | 'unknown'
  /** The crate was removed; its name stays taken. */
  readonly removed?: boolean
  /** The glob of the rule that applies to the name. */
  readonly rule?: string
  /** The uplinks that the rule gives, in the order in which they are asked; for a local name none is. */
  readonly proxy: readonly UplinkExplanation[]
  readonly uplink?: string
  readonly copy?: CopyExplanation
  readonly verdict?: VersionExplanation
  /** Why it is not known whether there is such a crate. */
  readonly problem?: string
}

export interface UplinkExplanation {
  readonly name: string
  /** Whether it is asked at the moment. */
  readonly asked: boolean
  readonly last_error?: { readonly message: string; readonly at: string }
}

/** What is kept of an uplink's index file. */
export interface CopyExplanation {
  readonly versions: number
  /** When these bytes came, RFC 3339. */
  readonly fetched_at: string
  /** Seconds since the uplink last confirmed them. */
  readonly age: number
  readonly stale: boolean
  /** Why there is no newer one. */
  readonly problem?: string
}

export interface VersionExplanation {
  readonly served: boolean
  /** As the index file says it. */
  readonly yanked: boolean
  readonly reason: string
  /** When a version that is kept back comes of age, RFC 3339. */
  readonly until?: string
  /** Whether the `.crate` file is stored here. */
  readonly stored: boolean
}

/** The sentences of an explanation. */
export function explain(facts: Omit<Explanation, 'explanation'>): Explanation {
  const { crate, version, ...rest } = facts
  return {
    crate,
    ...(version !== undefined && { version }),
    explanation: [origin(facts), freshness(facts), verdict(facts)].filter(Boolean).join(' '),
    ...rest,
  }
}

function origin(facts: Omit<Explanation, 'explanation'>): string {
  const { crate, source, removed, rule, uplink, proxy, problem } = facts
  const by = rule === undefined ? 'no rule applies to it' : `rule \`${rule}\` applies`
  switch (source) {
    case 'local':
      return removed
        ? `Crate \`${crate}\` was published here and removed: its name stays taken, and no uplink is ever asked for it (${by}).`
        : `Crate \`${crate}\` is local: it was published here, so no uplink is ever asked for it (${by}).`
    case 'uplink':
      return `Crate \`${crate}\` comes from uplink \`${uplink}\` (${by}).`
    case 'unknown':
      return `Whether there is a crate \`${crate}\` is not known: ${problem} (${by}).`
    case 'none':
      return proxy.length === 0
        ? `There is no crate \`${crate}\`: it was not published here, and no uplink may be asked for it (${by}).`
        : `There is no crate \`${crate}\`, neither here nor at ${proxy.map(({ name }) => `uplink \`${name}\``).join(' or ')} (${by}).`
  }
}

function freshness({ copy, uplink }: Omit<Explanation, 'explanation'>): string {
  if (copy === undefined) return ''
  const age = `The copy of its index file was confirmed ${copy.age} s ago`
  if (copy.problem !== undefined) return `${age}; a newer one was not taken over: ${copy.problem}.`
  return copy.stale ? `${age} and is renewed when uplink \`${uplink}\` answers.` : `${age} and is fresh.`
}

function verdict({ source, version, verdict: of }: Omit<Explanation, 'explanation'>): string {
  // Of a crate that is not there, or not known, no version needs a word.
  if (version === undefined || source === 'none' || source === 'unknown') return ''
  if (of === undefined) return `There is no version \`${version}\`.`
  const how = of.served ? (of.yanked ? 'is served as yanked' : 'is served') : 'is not served'
  return `Version \`${version}\` ${how}: ${of.reason}.`
}
