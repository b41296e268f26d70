import type { CrateView, VersionView } from '../../protocol/crate-view.ts'
import { validateName } from '../../protocol/name.ts'
import { validateVersion } from '../../protocol/version.ts'
import type { Caller } from '../../registry/access.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Html } from '../pages/html.ts'
import { linkBase } from './link-base.ts'
import type { ReadmeRenderer } from './renderer.ts'

/** The READMEs of crates as markup. */
export interface CrateReadmes {
  /**
   * `undefined` for a version without a README.
   * @throws {CargoError} as `Registry.readme`
   */
  of(caller: Caller, crate: CrateView, version: VersionView): Promise<Html | undefined>
}

export function createCrateReadmes(
  registry: Pick<Registry, 'readme'>,
  renderer: Pick<ReadmeRenderer, 'render'>,
): CrateReadmes {
  return {
    async of(caller, crate, { entry, details }) {
      const readme = await registry.readme(caller, validateName(crate.name), validateVersion(entry.vers))
      if (readme === undefined) return undefined
      const repository = details.repository ?? crate.about.repository
      return renderer.render(readme.text, linkBase(repository, readme.path))
    },
  }
}
