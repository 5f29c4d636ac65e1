import { stringify } from 'yaml'
import { type EngineFacts, type EngineFile, header } from './engine-facts.ts'

/** One or more YAML documents under the header that names the policy. */
export const yamlFile = (facts: EngineFacts, engine: string, path: string, ...documents: object[]): EngineFile => ({
  path,
  text: `${header(facts, engine)}${documents.map((one) => stringify(one, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n')}`,
})
