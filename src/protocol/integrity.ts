import { CargoError, type ErrorCode } from '../errors.ts'
import { checkFeatures, isValidFeatureName } from './features.ts'
import type { IndexDep, IndexEntry } from './index-entry.ts'
import type { Manifest } from './manifest.ts'
import { MAX_DEPS } from './manifest-dependencies.ts'
import { isReservedName, isValidAlias, isValidName, MAX_NAME_LENGTH, validateName } from './name.ts'
import { isCratesIo, isRegistryUrl } from './registry-url.ts'
import { isValidRequirement } from './requirement.ts'
import { isValidTriple, validateTarget } from './target.ts'
import { isPlainText, isProse, quote } from './text.ts'
import { validateVersion } from './version.ts'

/** Ours: the name of a native library, which crates.io does not limit. */
const MAX_LINKS_LENGTH = 255

const RUST_VERSION = /^(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){0,2}$/
const ARTIFACT = /^(cdylib|staticlib|bin(:[A-Za-z0-9_-]+)?)$/
const LINE_FIELDS = [
  'links',
  'rustVersion',
  'edition',
  'license',
  'licenseFile',
  'readme',
  'homepage',
  'documentation',
  'repository',
] as const
const LIST_FIELDS = ['authors', 'keywords', 'categories'] as const

/** What a registry decides about integrity, rather than cargo. */
export interface IntegrityOptions {
  /** Whether dependencies may come from the registry with this index URL; asked for others than this one and crates.io. */
  readonly registries: (url: string) => boolean
}

/**
 * The rules that no setting relaxes: what breaks them would break cargo, the index, or the promise of who is who.
 * @param entry as it would be stored, `registry` of its dependencies normalised
 * @throws {CargoError} `invalid_name`, `invalid_version`, `invalid_requirement`, `invalid_dependency`, `invalid_metadata` or
 * `invalid_manifest`, naming the value and the rule
 */
export function checkIntegrity(manifest: Manifest, entry: IndexEntry, options: IntegrityOptions): void {
  validateName(entry.name)
  if (isReservedName(entry.name))
    refuse('invalid_name', `invalid crate name ${quote(entry.name)}: must not be a reserved name`)
  validateVersion(entry.vers)
  if (entry.name !== manifest.name || entry.vers !== manifest.version) {
    const [written, stored] = [`${manifest.name}@${manifest.version}`, `${entry.name}@${entry.vers}`].map(
      quote,
    )
    refuse('invalid_manifest', `\`Cargo.toml\` is of ${written}: must be of ${stored}`)
  }
  checkTexts(manifest)
  checkLinks(entry.links ?? undefined)
  checkRustVersion(entry.rust_version ?? undefined)
  if (entry.deps.length > MAX_DEPS) {
    refuse(
      'invalid_dependency',
      `crate has \`${entry.deps.length}\` dependencies: at most ${MAX_DEPS} are allowed`,
    )
  }
  for (const dep of entry.deps) checkDep(dep, options)
  checkFeatures({ ...entry.features, ...entry.features2 }, entry.deps)
}

function checkDep(dep: IndexDep, { registries }: IntegrityOptions): void {
  checkDepName(dep)
  const of = `of dependency \`${dep.name}\``
  if (!isValidRequirement(dep.req)) {
    refuse(
      'invalid_requirement',
      `invalid requirement ${quote(dep.req)} ${of}: must be a version requirement such as \`1.2\``,
    )
  }
  if (dep.target !== null) validateTarget(dep.target)
  if (dep.kind === 'dev' && dep.optional) {
    refuse('invalid_dependency', `invalid dependency \`${dep.name}\`: a dev-dependency must not be optional`)
  }
  for (const feature of dep.features) {
    // cargo drops empty items.
    if (feature === '' || isValidFeatureName(feature)) continue
    refuse('invalid_dependency', `invalid feature ${quote(feature)} ${of}: must be the name of a feature`)
  }
  checkArtifact(dep, of)
  if (typeof dep.registry === 'string') checkRegistry(dep.registry, of, registries)
}

function checkDepName(dep: IndexDep): void {
  const crate = dep.package ?? dep.name
  if (!isValidName(crate)) {
    refuse(
      'invalid_dependency',
      `invalid dependency name ${quote(crate)}: must start with a letter, go on with letters, digits, \`-\` or \`_\`, ` +
        `and have at most ${MAX_NAME_LENGTH} characters`,
    )
  }
  if (!isValidAlias(dep.name)) {
    refuse(
      'invalid_dependency',
      `invalid dependency alias ${quote(dep.name)}: must start with a letter or \`_\`, go on with letters, digits, ` +
        `\`-\` or \`_\`, and have at most ${MAX_NAME_LENGTH} characters`,
    )
  }
}

function checkArtifact(dep: IndexDep, of: string): void {
  for (const artifact of dep.artifact ?? []) {
    if (ARTIFACT.test(artifact)) continue
    refuse(
      'invalid_dependency',
      `invalid artifact ${quote(artifact)} ${of}: must be \`bin\`, \`bin:name\`, \`cdylib\` or \`staticlib\``,
    )
  }
  refuseRepeated(dep.artifact ?? [], of)
  const target = dep.bindep_target ?? undefined
  // cargo takes `*.json` for a file on the disk of whoever builds
  if (target === undefined || (isValidTriple(target) && !target.endsWith('.json'))) return
  refuse('invalid_dependency', `invalid target ${quote(target)} ${of}: must be a target triple or \`target\``)
}

/** An entry that asks for one artifact twice is invalid to cargo; `bin` stands for every `bin:name`. */
function refuseRepeated(artifacts: readonly string[], of: string): void {
  const kinds = new Set(artifacts)
  const isAllAndOne = kinds.has('bin') && artifacts.some((artifact) => artifact.startsWith('bin:'))
  if (kinds.size === artifacts.length && !isAllAndOne) return
  refuse('invalid_dependency', `invalid artifacts ${quote(artifacts.join(', '))} ${of}: must not overlap`)
}

function checkRegistry(url: string, of: string, registries: (url: string) => boolean): void {
  if (isCratesIo(url)) return
  if (!isPlainText(url) || !isRegistryUrl(url)) {
    refuse('invalid_dependency', `invalid registry ${quote(url)} ${of}: must be the URL of an index`)
  }
  if (url.startsWith('sparse+') && !url.endsWith('/')) {
    refuse('invalid_dependency', `invalid registry ${quote(url)} ${of}: must end in a slash`)
  }
  // cargo took `…/index` and `…/index.git` for one registry, and sent the token of the one to the other (CVE-2026-5222).
  if (/\.git\/*$/i.test(url))
    refuse('invalid_dependency', `registry ${quote(url)} ${of}: must not end in \`.git\``)
  if (!registries(url)) {
    refuse(
      'invalid_dependency',
      `registry ${quote(url)} ${of}: must be this registry, crates.io, or one on the list of allowed registries`,
    )
  }
}

function checkTexts(manifest: Manifest): void {
  if (manifest.description !== undefined && !isProse(manifest.description)) {
    refuse(
      'invalid_manifest',
      `invalid \`description\` in \`Cargo.toml\` ${quote(manifest.description)}: must not contain NUL`,
    )
  }
  for (const field of LINE_FIELDS) checkLine(field, manifest[field])
  for (const field of LIST_FIELDS) for (const item of manifest[field]) checkLine(field, item)
}

function checkLine(field: string, text: string | undefined): void {
  if (text === undefined || isPlainText(text)) return
  refuse(
    'invalid_manifest',
    `invalid \`${field}\` in \`Cargo.toml\` ${quote(text)}: must not contain control characters`,
  )
}

function checkLinks(links: string | undefined): void {
  if (links === undefined || (links !== '' && links.length <= MAX_LINKS_LENGTH && isPlainText(links))) return
  refuse(
    'invalid_manifest',
    `invalid links ${quote(links)}: must be the name of a native library, at most ${MAX_LINKS_LENGTH} characters`,
  )
}

function checkRustVersion(version: string | undefined): void {
  if (version === undefined || RUST_VERSION.test(version)) return
  refuse(
    'invalid_manifest',
    `invalid rust-version ${quote(version)}: must be one to three numbers such as \`1.70\``,
  )
}

function refuse(code: ErrorCode, detail: string): never {
  throw new CargoError(code, detail)
}
