import { pubtime } from '../../src/protocol/index-entry.ts'
import { type CrateFile, crateFile, type DepSpec } from './crate-file.ts'
import { between, pick, type Random, randomBytesFrom, randomFrom } from './random.ts'
import { type UplinkVersion, versionOf } from './uplink-content.ts'

const KiB = 1024
const DAY_MS = 24 * 60 * 60 * 1000
const NOW_MS = Date.parse('2026-01-01T00:00:00Z')
/** Crates by layer, from those that depend on nothing to those that the app names. */
const LAYERS: readonly number[] = [44, 42, 32, 24, 16, 12, 8]
/** Crates that only `cfg(windows)` dependencies name; cargo locks and fetches them everywhere. */
const WINDOWS_ONLY = 12
/** Crates that no resolution needs: of tests, of features that nobody enables, of versions that nobody takes. */
const UNNEEDED = 12
const LARGE = 5
const FIRST =
  'amber blue calm dusk early fast grand hollow iron jade keen lucid mild north open pale quick rapid'
const SECOND = 'arc byte cast dial edge field grid hash join kern link map node parse queue ring seed time'

/** Crates, and a package that depends on them. */
export interface GeneratedWorkspace {
  /** Every version of every crate. */
  readonly crates: readonly UplinkVersion[]
  /** The app's `Cargo.toml`; an empty `src/lib.rs` goes with it. */
  readonly manifest: string
  /** The names of the app's dependencies. */
  readonly direct: readonly string[]
  /** How many crates its lock file names beside the app; some are there in two versions. */
  readonly locked: number
}

/** A crate before its versions are written. */
interface Node {
  readonly name: string
  /** What its newest versions have in common: `2`, `1` or `0.3`. */
  readonly line: string
  /** The line before, which some still need. */
  readonly oldLine: string
  readonly deps: (readonly [string, DepSpec])[]
  /** What its features enable. */
  readonly features: { readonly std: string[]; readonly extra: string[] }
  size: number
}

/**
 * A graph of realistic shape, the same for the same seed; it resolves, and compiles in no time. `sizes`: how many crates
 * its layers have.
 */
export function generatedWorkspace(seed = 1, sizes = LAYERS): GeneratedWorkspace {
  const random = randomFrom(seed)
  const names = uniqueNames(random)
  const make = (count: number) => Array.from({ length: count }, () => newNode(names, random))
  const layers = sizes.map(make)
  const nodes = layers.flat()
  for (const node of nodes.filter((_, i) => i % Math.ceil(nodes.length / LARGE) === 0))
    node.size = between(random, KiB, 2 * KiB) * KiB
  for (const [depth, layer] of layers.entries()) connect(layer, layers.slice(0, depth), random)
  const beside = { windows: make(WINDOWS_ONLY), tests: make(UNNEEDED), unused: make(UNNEEDED) }
  for (const node of beside.windows) depend(pick(random, nodes), node, { target: 'cfg(windows)' })
  for (const node of beside.tests) depend(pick(random, nodes), node, { kind: 'dev' })
  for (const node of beside.unused) depend(pick(random, nodes), node, { optional: true })
  const legacy = make(UNNEEDED)
  const all = [...nodes, ...Object.values(beside).flat()]
  const direct = layers.at(-1) ?? []
  return {
    crates: [
      ...all.flatMap((node) => versionsOf(node, legacy, random)),
      ...legacy.flatMap((node) => versionsOf(node, [], random)),
    ],
    manifest: appManifest(direct),
    direct: direct.map(({ name }) => name),
    locked: nodes.length + WINDOWS_ONLY,
  }
}

function appManifest(direct: readonly Node[]): string {
  const lines = direct.map(({ name, line }) => `${name} = { version = "${line}", features = ["extra"] }`)
  const head = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]'
  return [head, ...lines, ''].join('\n')
}

function uniqueNames(random: Random): Iterator<string> {
  const all = FIRST.split(' ').flatMap((first) =>
    SECOND.split(' ').map((second) => {
      const name = `${first}${pick(random, ['-', '_', ''])}${second}`
      return random() < 0.03 ? name.charAt(0).toUpperCase() + name.slice(1) : name
    }),
  )
  return all
    .map((name) => ({ name, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ name }) => name)
    .values()
}

function newNode(names: Iterator<string>, random: Random): Node {
  const { value: name, done } = names.next()
  if (done === true) throw new Error('there are not enough names')
  const [line, oldLine] = pick(random, [['1', '0.9'] as const, ['0.3', '0.2'] as const, ['2', '1'] as const])
  const size = between(random, 5, 60) * KiB
  return { name, line, oldLine, deps: [], features: { std: [], extra: [] }, size }
}

/** Gives each crate of a layer some of those below, and each of those next below somebody who needs it. */
function connect(layer: readonly Node[], below: readonly (readonly Node[])[], random: Random): void {
  const next = below.at(-1)
  if (next === undefined) return
  for (const [position, child] of next.entries()) {
    const parent = layer[Math.floor((position * layer.length) / next.length)]
    if (parent !== undefined) need(parent, child, random)
  }
  const candidates = below.flat()
  for (const parent of layer) {
    for (let i = between(random, 0, 3); i > 0; i--) {
      const child = pick(random, candidates)
      if (parent.deps.some(([alias, spec]) => (spec.package ?? alias) === child.name)) continue
      const isOld = random() < 0.1
      depend(parent, child, {
        version: isOld ? child.oldLine : child.line,
        ...(random() < 0.3 && { 'default-features': false }),
      })
    }
  }
}

/** A dependency that is there in every resolution, said in one of the ways there are. */
function need(parent: Node, child: Node, random: Random): void {
  const way = random()
  const spec: DepSpec = { version: requirement(child, random), features: ['extra'] }
  if (way < 0.06) depend(parent, child, { ...spec, kind: 'build' })
  else if (way < 0.14) depend(parent, child, { ...spec, package: child.name }, `other-${child.name}`)
  else if (way < 0.24) enable(parent.features.std)
  else if (way < 0.32) enable(parent.features.extra)
  else if (way < 0.38) depend(parent, child, { ...spec, target: 'cfg(unix)' })
  else depend(parent, child, spec)

  function enable(feature: string[]): void {
    depend(parent, child, { ...spec, optional: true })
    feature.push(`dep:${child.name}`)
  }
}

function depend(parent: Node, child: Node, spec: DepSpec, alias = child.name): void {
  parent.deps.push([alias, { version: child.line, ...spec }])
}

function requirement({ line }: Node, random: Random): string {
  return pick(random, [line, `^${line}`, `${line}${line.includes('.') ? '' : '.0'}.1`, `>=${line}, <99`])
}

/** Old versions that need what nobody needs now, the ones that count, and often younger ones that do not. */
function versionsOf(node: Node, legacy: readonly Node[], random: Random): UplinkVersion[] {
  const [old, now] = [padded(node.oldLine), padded(node.line)]
  let age = between(random, 2000, 3000)
  const version = (number: string, crate: (bare: CrateFile) => CrateFile, yanked = false): UplinkVersion => {
    age -= between(random, 20, 120)
    const at = new Date(NOW_MS - age * DAY_MS)
    return versionOf({ crate: crate(crateFile(node.name, number)), pubtime: pubtime(at), yanked })
  }
  const bare = (crate: CrateFile) => crate
  const outdated = (crate: CrateFile) => {
    const dep = legacy.length === 0 ? undefined : pick(random, legacy)
    return dep === undefined ? crate : crate.dep(dep.name, dep.line)
  }
  const current = (crate: CrateFile) => withDeps(crate, node)
  const newest = (crate: CrateFile) =>
    current(crate).add(`${node.name}-${now}.9/src/data.bin`, randomBytesFrom(random, node.size))
  return [
    version(`${old}.0`, bare),
    version(`${old}.1`, bare),
    version(`${now}.0`, outdated),
    ...Array.from({ length: between(random, 1, 6) }, (_, i) => version(`${now}.${i + 1}`, current)),
    version(`${now}.9`, newest),
    ...(random() < 0.15 ? [version(`${now}.10`, outdated, true)] : []),
    ...(random() < 0.15 ? [version('9.0.0-alpha.1', outdated)] : []),
  ]
}

function withDeps(crate: CrateFile, { name, deps, features }: Node): CrateFile {
  for (const [alias, spec] of deps) crate.dep(alias, spec)
  crate.feature('default', ['std']).feature('std', features.std).feature('extra', features.extra)
  const builds = deps.some(([, { kind }]) => kind === 'build')
  return builds ? crate.add(`${name}-${crate.version}/build.rs`, 'fn main() {}\n') : crate
}

function padded(line: string): string {
  return line.includes('.') ? line : `${line}.0`
}
