import { CargoError } from '../errors.ts'
import type { AuditQuery } from '../protocol/audit-query.ts'
import type { Access, Caller } from './access.ts'
import { changeTrail, type TrailDeps } from './audit/change-trail.ts'
import { downloadTrail } from './audit/download-trail.ts'
import { type AuditPage, pageOf } from './audit/page.ts'

/** What administrators read of who did what. */
export interface Audit {
  /**
   * Changes in the order of crate and number, or downloads day by day. `query` is only asked for once the caller may
   * know.
   * @throws {CargoError} `login_required` for nobody; `not_found`, as for any path that nothing is at, for who is no
   * administrator
   */
  audit(caller: Caller, query: () => AuditQuery): Promise<AuditPage>
}

export interface AuditDeps extends TrailDeps {
  readonly access: Access
  readonly monotonic: () => number
}

export function createAudit({ access, monotonic, ...deps }: AuditDeps): Audit {
  return {
    async audit(caller, query) {
      if (!(await access.may(caller, 'admin'))) throw hidden(caller)
      const wanted = query()
      const trail = wanted.kind === 'download' ? downloadTrail(deps, wanted) : changeTrail(deps, wanted)
      return pageOf(wanted, trail, monotonic)
    },
  }
}

function hidden({ principal }: Caller): CargoError {
  if (principal === undefined)
    return new CargoError('login_required', 'the audit needs a login: send the token of an administrator')
  // As the route of index files says of a path that it does not know.
  return new CargoError('not_found', 'there is no index file `-/audit`')
}
