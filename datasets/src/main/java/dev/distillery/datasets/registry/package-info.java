/**
 * The list of every source that can be read. Knows all source packages; none of them knows it.
 *
 * <p>May use: datasets, datasets.alpaca, datasets.documents, datasets.dolly, datasets.hc3,
 * datasets.hhrlhf, datasets.messages, datasets.oasst, datasets.oig, datasets.preferences,
 * datasets.read, datasets.selfinstruct, datasets.sharegpt, datasets.stackexchange,
 * datasets.summarize, datasets.webgpt.
 */
@NullMarked
package dev.distillery.datasets.registry;

import org.jspecify.annotations.NullMarked;
