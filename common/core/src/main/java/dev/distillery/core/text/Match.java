package dev.distillery.core.text;

/**
 * A member of a pool and its ROUGE-L F with the text that was asked about.
 *
 * @param member the member's number, in the order in which members were added, from 0
 * @param score F, above 0 and at most 1
 */
public record Match(int member, double score) {}
