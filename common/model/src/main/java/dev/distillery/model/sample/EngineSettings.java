package dev.distillery.model.sample;

import dev.distillery.core.dialogue.TemplateInputs;
import java.time.Duration;

/**
 * How a {@link StudentEngine} decodes.
 *
 * @param contextLength tokens of prompt and reply together; 0 for the model's, up to {@link
 *     StudentEngine#DEFAULT_CONTEXT}
 * @param concurrency rows that are decoded together at most; fewer where their keys and values do
 *     not fit this machine
 * @param chatTemplate a preset's name; empty takes the model's own
 * @param templateInputs what the model's own template is told beside the dialogue
 * @param timeout longest time of one piece of work
 * @param memoryShare keys and values may take one in so many parts of this machine's memory
 * @param promptTokens tokens of prompts that are read between two tokens of the replies, to whole
 *     pieces; many serve a batch of work best, few whoever waits for the next token
 * @param wholeContext whether keys and values get room for the whole context from the start, so
 *     that no long request waits until all others are done
 */
public record EngineSettings(
    int contextLength,
    int concurrency,
    String chatTemplate,
    TemplateInputs templateInputs,
    Duration timeout,
    int memoryShare,
    int promptTokens,
    boolean wholeContext) {}
