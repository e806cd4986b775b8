; @simple statements that stand side by side form a run; an @exit ends its run; @idle ones, such as
; docstrings, do not begin one.  A @suite holds statements.
(block) @suite
[(assert_statement) (break_statement) (continue_statement) (delete_statement) (exec_statement)
 (expression_statement) (future_import_statement) (global_statement) (import_from_statement)
 (import_statement) (nonlocal_statement) (pass_statement) (print_statement) (raise_statement)
 (return_statement) (type_alias_statement)] @simple
(function_definition) @simple
(class_definition) @simple
(decorated_definition) @simple
(expression_statement . (string) .) @idle
(return_statement) @exit.return
(raise_statement) @exit.raise
(break_statement) @exit.break
(continue_statement) @exit.continue

; A block and, around it, the stretch that it decides over.
(if_statement condition: (_) @condition) @over
(elif_clause condition: (_) @condition) @over
(while_statement condition: (_) @condition) @over
(match_statement subject: (_) @condition) @over
(if_clause (_) @condition)
(for_statement body: (block) @loop.body) @loop
(with_statement body: (block) @with.body) @with
[(except_clause (block) @handler.body) (except_group_clause (block) @handler.body)] @handler
(case_clause consequence: (block) @case.body) @case
(try_statement . "try" @try) @over
(finally_clause . "finally" @finally) @over

; Parts of a block that do not always run, or more than once.
(boolean_operator right: (_) @arm)
(conditional_expression . (_) @arm . "if" . (_) . "else" . (_) @arm)
(list_comprehension body: (_) @each)
(set_comprehension body: (_) @each)
(dictionary_comprehension body: (_) @each)
(generator_expression body: (_) @each)

; Names.  What is neither a @label nor a @write is read.
(identifier) @identifier

(attribute attribute: (identifier) @member)
(keyword_argument name: (identifier) @label)
(keyword_pattern . (identifier) @label)
(dotted_name (identifier) (identifier) @label)
(import_from_statement module_name: (dotted_name (identifier) @label))
(import_from_statement module_name: (relative_import (dotted_name (identifier) @label)))
(future_import_statement (dotted_name (identifier) @label))
(aliased_import name: (dotted_name (identifier) @label))
(aliased_import alias: (identifier) @write)
(import_from_statement name: (dotted_name (identifier) @write))
(import_statement name: (dotted_name . (identifier) @write))

(assignment left: (identifier) @write)
(pattern_list (identifier) @write)
(tuple_pattern (identifier) @write)
(list_pattern (identifier) @write)
(list_splat_pattern (identifier) @write)
(augmented_assignment left: (identifier) @update @rebound)
(for_statement left: (identifier) @write)
(as_pattern_target [(identifier) @write
                    (tuple (identifier) @write)
                    (list (identifier) @write)])
(named_expression name: (identifier) @write)
(function_definition name: (identifier) @write)
(class_definition name: (identifier) @write)
(type_alias_statement left: (type . (identifier) @write))
(type_alias_statement left: (type (generic_type . (identifier) @write)))
(type_parameter (type (identifier) @label))
(type_parameter (type (constrained_type . (type (identifier) @label))))
(case_pattern (dotted_name . (identifier) @write .))
(case_pattern (as_pattern (identifier) @write .))
(splat_pattern (identifier) @write)
(keyword_pattern (dotted_name . (identifier) @write .))

; Names that belong to another scope.
(global_statement (identifier) @elsewhere)
(nonlocal_statement (identifier) @elsewhere)

; May be changed in place.
(call function: (attribute object: (identifier) @update))
(assignment left: (subscript value: (identifier) @update))
(assignment left: (subscript value: (subscript value: (identifier) @update)))
(assignment left: (attribute object: (identifier) @update))
(assignment left: (_ (subscript value: (identifier) @update)))
(assignment left: (_ (attribute object: (identifier) @update)))
(augmented_assignment left: (subscript value: (identifier) @update))
(augmented_assignment left: (attribute object: (identifier) @update))
(delete_statement (subscript value: (identifier) @update))
(delete_statement (attribute object: (identifier) @update))
(delete_statement (identifier) @update @rebound)
