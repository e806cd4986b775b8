; What can be repaired on its own.  @name and the definition come in the same order of the text.
(function_definition name: (identifier) @name parameters: (parameters) @parameters
  body: (block) @body) @function
(class_definition name: (identifier) @name body: (block) @body) @class
(assignment left: (identifier) @name right: (lambda body: (_) @body @lambda.body) @lambda)
(lambda parameters: (lambda_parameters) @parameters)
(function_definition . "async" @async)
(decorated_definition (decorator (_) @decorator)) @decorated
(decorated_definition (decorator [(identifier) @property (attribute attribute: (identifier) @property)])
  (#any-of? @property "property" "cached_property" "setter" "getter" "deleter" "abstractproperty"))
(decorated_definition (decorator (identifier) @static) (#eq? @static "staticmethod"))
(decorated_definition (decorator (identifier) @of_class) (#eq? @of_class "classmethod"))

; The names of its parameters.
(parameters [(identifier) @parameter
             (default_parameter name: (identifier) @parameter)
             (typed_parameter . (identifier) @parameter)
             (typed_default_parameter name: (identifier) @parameter)
             (typed_parameter (list_splat_pattern (identifier) @parameter))
             (typed_parameter (dictionary_splat_pattern (identifier) @parameter))
             (list_splat_pattern (identifier) @parameter)
             (dictionary_splat_pattern (identifier) @parameter)])
(lambda_parameters [(identifier) @local
                    (default_parameter name: (identifier) @local)
                    (list_splat_pattern (identifier) @local)
                    (dictionary_splat_pattern (identifier) @local)])

; Names that live in an expression only: @local ones of the @scope, but what is @outside of it.
(lambda) @scope
(lambda_parameters (default_parameter value: (_) @outside))
(list_comprehension . (_) . (for_in_clause right: (_) @outside)) @scope
(set_comprehension . (_) . (for_in_clause right: (_) @outside)) @scope
(dictionary_comprehension . (_) . (for_in_clause right: (_) @outside)) @scope
(generator_expression . (_) . (for_in_clause right: (_) @outside)) @scope
(for_in_clause left: (identifier) @local)
(for_in_clause left: (_ (identifier) @local))
(for_in_clause left: (_ (_ (identifier) @local)))
(for_in_clause left: (_ (_ (_ (identifier) @local))))
