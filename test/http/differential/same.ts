import { describe } from './judge.ts'
import type { Asked } from './matrix.ts'
import type { Subject } from './subjects.ts'

/** Every request whose answer is not, byte for byte, that of the same request about the other subject. */
export function differences(asked: readonly Asked[], a: Subject, b: Subject): readonly string[] {
  const others = new Map(
    asked.filter(({ subject }) => subject === b).map((it) => [keyOf(it, b), it] as const),
  )
  return asked
    .filter(({ subject }) => subject === a)
    .flatMap((one) => {
      const other = others.get(keyOf(one, a))
      if (other === undefined) return []
      const [left, right] = [told(one), told(other)]
      return left === right ? [] : [`${describe(one)}: ${left}\n  but: ${right}`]
    })
}

/** Every request whose answer is not, byte for byte, that of the other registry to the same request. */
export function differencesBetween(left: readonly Asked[], right: readonly Asked[]): readonly string[] {
  return left.flatMap((one, nth) => {
    const other = right[nth]
    if (other === undefined) return [`${describe(one)} was asked here only`]
    const [here, there] = [toldBy(one), toldBy(other)]
    return here === there ? [] : [`${describe(one)}: ${here}\n  but: ${there}`]
  })
}

function keyOf({ asker, title, request, group }: Asked, subject: Subject): string {
  return JSON.stringify([asker.name, title, request.method, unnamed(group, subject)])
}

function told(one: Asked): string {
  return unnamed(toldBy(one), one.subject)
}

/** Without what is of the registry's address, and seals, of which no two are the same. */
function toldBy({ answer: { status, head, body } }: Asked): string {
  return `${status}\n${head}\n\n${body}`
    .replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS')
    .replaceAll(/name="seal" value="[^"]*"/g, 'SEAL')
}

/** Escapes undone, and the name and its folders taken out. */
function unnamed(text: string, { name }: Subject): string {
  const plain = decoded(decoded(text)).toLowerCase().replaceAll('-', '_')
  const folders = `${name.slice(0, 2)}/${name.slice(2, 4)}`
  return plain.replaceAll(name.replaceAll('-', '_'), 'NAME').replaceAll(folders, 'FOLDERS')
}

function decoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
