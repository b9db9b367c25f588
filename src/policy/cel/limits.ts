// What bounds a CEL expression and its evaluation? Every number has its unit and where it comes from.
// Cost limits are a tenth of Kubernetes' (its units are smaller); sizes follow its parser; the rest were measured.

/** Longest accepted source, in UTF-8 bytes. */
export const MAX_SOURCE_BYTES = 16 * 1024;

/** Cost units one evaluation may use; a unit is about 50 ns of work (bench/cel.ts): a node, an element, eight characters. */
export const MAX_EXPRESSION_COST = 100_000;

/** Cost units all evaluations of one request may use together. */
export const MAX_REQUEST_COST = 1_000_000;

/**
 * Cost units that the rules of a request may use together before anything looks at the time. They reach 32,000 characters:
 * even a step that were quadratic in those would end within seconds.
 */
export const TRIAL_COST = 4000;

/** Structural limits of the parser, in nodes, levels and elements. */
export const PARSER_LIMITS = {
  maxAstNodes: 2000,
  maxDepth: 64,
  maxListElements: 256,
  maxMapEntries: 64,
  maxCallArguments: 16,
} as const;

/** Characters produced or scanned for one cost unit. */
export const CHARACTERS_PER_UNIT = 8;

/** Cost units of an element of a list or map that is produced or looked at. */
export const ELEMENT_COST = 1;

/** Cost units of evaluating a node once, by what it does; every other node costs one. */
export const NODE_COSTS: Readonly<Record<string, number>> = {
  call: 4,
  rcall: 4,
  list: 4,
  map: 8,
  '+': 3,
  '-': 3,
  '*': 3,
  '/': 3,
  '%': 3,
  '-_': 3,
  '==': 3,
  '!=': 3,
  '.?': 3,
  '[?]': 3,
};

/** Cost units of any regular expression match. */
export const MATCH_COST = 40;

/** Cost units a character where RE2 surely keeps to its deterministic automaton. */
export const FAST_MATCH_COST = 2;

/** Texts of at most so many characters, or programs of at most so many instructions, surely match fast. */
export const FAST_MATCH = { characters: 512, instructions: 12 } as const;

/** Instructions times characters beyond which a match may take milliseconds at first, whatever it costs (0.15 µs each). */
export const LONG_STEP = 32_768;

/** Cost units of an RE2 instruction on a character where the automaton may have too many states. */
export const SLOW_STEP_COST = 4;

/** Cost units of an RE2 instruction on a character where the match itself is asked for. */
export const FIND_STEP_COST = 1;

/** Cost units for each instruction of a pattern that is only known at run time (14 µs to compile one at worst). */
export const DYNAMIC_PATTERN_COST = 280;

/** Cost units of an error that a quantifier or a logical operator absorbs. */
export const ABSORBED_ERROR_COST = 50;

/** Characters of source scanned by the library for each absorbed error, for one cost unit. */
export const ERROR_SOURCE_PER_UNIT = 64;

/** Longest regular expression, in UTF-16 code units. */
export const MAX_PATTERN_LENGTH = 1024;

/** Largest compiled regular expression, in RE2 instructions. */
export const MAX_PROGRAM_SIZE = 4000;

/** Compiled regular expressions kept, in patterns. */
export const MAX_CACHED_PATTERNS = 512;

/** Deepest nesting of a converted Kubernetes object, in levels; what is deeper cannot be read. */
export const MAX_VALUE_DEPTH = 64;

/** Levels of a dynamic value the engine inspects to name its type; bounds the library's type cache. */
export const MAX_TYPE_DEPTH = 3;

/** Deepest nesting of list and map literals, in levels; bounds the library's type cache. */
export const MAX_LITERAL_DEPTH = 8;

/** Longest diagnostic message, in characters. */
export const MAX_DIAGNOSTIC_LENGTH = 512;

/** Cost units between two looks at the processor time. */
export const UNITS_PER_CLOCK_CHECK = 10_000;

/** Longest message of a failed evaluation, in characters. */
export const MAX_RESULT_MESSAGE_LENGTH = 256;
