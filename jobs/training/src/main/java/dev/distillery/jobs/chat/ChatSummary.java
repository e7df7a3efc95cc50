package dev.distillery.jobs.chat;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;

/**
 * What was said in a chat.
 *
 * @param turns of the user, answered or not
 * @param promptTokens that were read for it
 * @param completionTokens of the answers
 */
public record ChatSummary(RunSummary run, long turns, long promptTokens, long completionTokens)
    implements Summary {}
