import type { RawTags } from '../ingest/types.ts'
import { ZipFile } from './zip-file.ts'

const maxXmlBytes = 2 * 1024 * 1024

/** Property -> tag as ExifTool would name it. */
const office = {
  title: 'XMP-dc:Title',
  creator: 'XMP-dc:Creator',
  description: 'XMP-dc:Description',
  subject: 'XML:Subject',
  keywords: 'XML:Keywords',
  lastModifiedBy: 'XML:LastModifiedBy',
  created: 'XML:CreateDate',
  modified: 'XML:ModifyDate',
  category: 'XML:Category',
}
const application = {
  Application: 'XML:Application',
  Pages: 'XML:Pages',
  Slides: 'XML:Slides',
  Words: 'XML:Words',
  Company: 'XML:Company',
}
const openDocument = {
  title: 'XMP-dc:Title',
  creator: 'XMP-dc:Creator',
  'initial-creator': 'XML:InitialCreator',
  description: 'XMP-dc:Description',
  subject: 'XML:Subject',
  keyword: 'XML:Keywords',
  'creation-date': 'XML:CreateDate',
  date: 'XML:ModifyDate',
  generator: 'XML:Application',
}
const publication = {
  title: 'XMP-dc:Title',
  creator: 'XMP-dc:Creator',
  description: 'XMP-dc:Description',
  subject: 'XMP-dc:Subject',
  rights: 'XMP-dc:Rights',
  publisher: 'XML:Publisher',
  language: 'XML:Language',
  date: 'XML:CreateDate',
}

/** What OOXML, OpenDocument and EPUB files say about themselves; their XML is read without entities or DTD. */
export async function readDocumentProperties(path: string): Promise<RawTags> {
  await using zip = await ZipFile.open(path)
  if (!zip) return {}
  const tags: RawTags = {}
  const add = async (member: string | undefined, names: Record<string, string>): Promise<void> => {
    const bytes = member ? await zip.read(member, maxXmlBytes).catch(() => undefined) : undefined
    if (!bytes) return
    for (const [property, tag] of Object.entries(names)) {
      const values = elements(bytes.toString('utf8'), property)
      if (values.length === 0 || tags[tag] !== undefined) continue
      tags[tag] = values.length === 1 ? values[0] : values
    }
  }
  await add('docProps/core.xml', office)
  await add('docProps/app.xml', application)
  await add('meta.xml', openDocument)
  const container = await zip.read('META-INF/container.xml', maxXmlBytes).catch(() => undefined)
  await add(/full-path="([^"]+)"/.exec(container?.toString('utf8') ?? '')?.[1], publication)
  return tags
}

/** Texts of all elements of a local name. */
function elements(xml: string, name: string): string[] {
  const found: string[] = []
  for (const match of xml.matchAll(new RegExp(`<(?:[\\w-]+:)?${name}(?:\\s[^<>]*)?>([^<]{1,20000})</`, 'g'))) {
    const text = decodeEntities(match[1] ?? '').trim()
    if (text) found.push(text)
    if (found.length >= 200) break
  }
  return found
}

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const decodeEntities = (text: string): string =>
  text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w{1,8}));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name) return named[name] ?? whole
      const code = hex ? Number.parseInt(hex, 16) : Number(decimal)
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ''
    },
  )
