import { chromiumProgram, corpusFolder } from './config.ts'

/** Says at once what is missing. Each product builds the web application by itself when it is not current. */
export default function prepare(): void {
  chromiumProgram()
  if (!corpusFolder) console.log('No corpus (DAM_CORPUS): the journeys use files they make themselves.')
}
