import { createRandom } from './random.ts'

const known =
  'summer beach sunset mountain portrait office team product logo winter city street night river forest wedding bridge harbour market garden flower studio catalogue brochure poster banner invoice report contract annual conference speaker audience kitchen bottle glass shoe jacket dress model runway campaign spring autumn snow rain cloud sky sea island boat sail train station airport plane car road cycle race football stadium concert guitar piano singer stage light shadow window door house tower church castle museum gallery painting sculpture bird horse dog cat fish elephant lion tree leaf grass field farm tractor wheat apple orange coffee bread cheese wine restaurant chef table chair lamp sofa bedroom hotel lobby pool spa yoga runner climber skier surfer child family baby grandmother doctor hospital laboratory microscope factory robot engine turbine solar panel battery phone laptop screen keyboard camera lens drone satellite map berlin paris london oslo lisbon tokyo kyoto moscow rome madrid vienna prague zurich sydney'.split(
    ' ',
  )

const syllables =
  'ba be bo da de do fa fe ga go ka ke ko la le lo ma me mo na ne no pa pe po ra re ro sa se so ta te to va ve vo za zo'.split(
    ' ',
  )

/** 20 000 different words, the commonest first: real ones, then made of syllables. */
export const vocabulary: readonly string[] = (() => {
  const random = createRandom(7)
  const words = new Set(known)
  while (words.size < 20_000)
    words.add(Array.from({ length: random.between(2, 5) }, () => random.pick(syllables)).join(''))
  return [...words]
})()

/** 3 000 tags, the commonest first. */
export const tags: readonly string[] = vocabulary
  .slice(0, 3_000)
  .map((word, index) => (index % 7 === 3 ? `${word} ${vocabulary[index + 11]}` : word))
