/**
 * The job `serve`: a student behind OpenAI's HTTP interface. A request becomes an {@code
 * ApiRequest}, its choices are {@code ServedChoice}s that a {@code StudentEngine} decodes, and
 * {@code ApiReplies} writes what comes of them; the connections are Netty's, in {@code
 * StudentServer} and {@code ApiHandler}. {@code ChatPage} is the page at {@code /}, and {@code
 * ChatVoteLog} keeps what is voted there. Uses no Spark but its libraries.
 *
 * <p>May use: core.dialogue, core.page, core.random, core.run, core.teacher, model.constrain,
 * model.sample, model.tokenizer, model.format, spark.job, spark.warehouse, training.student.
 */
@NullMarked
package dev.distillery.jobs.serve;

import org.jspecify.annotations.NullMarked;
