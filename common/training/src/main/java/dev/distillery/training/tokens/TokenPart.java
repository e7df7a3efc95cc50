package dev.distillery.training.tokens;

import java.io.Serializable;

/**
 * One file of a token table.
 *
 * @param file its name in the table's folder; empty where the rows were only counted
 * @param rows it holds
 * @param bytes its length
 * @param tokens of all rows
 * @param learned tokens with a weight over 0
 * @param longest tokens of the longest row
 * @param cut tokens that packing left out
 * @param shared tokens that several pairs share
 * @param ends that packing put between texts
 */
record TokenPart(
    String file,
    long rows,
    long bytes,
    long tokens,
    long learned,
    int longest,
    long cut,
    long shared,
    long ends)
    implements Serializable {}
