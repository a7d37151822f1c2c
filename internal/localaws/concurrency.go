package localaws

// putConcurrency reserves concurrency for a function. 0 stops it.
func (s *Server) putConcurrency(q *request) (any, *apiError) {
	n, f, err := s.function(q)
	if err != nil {
		return nil, err
	}
	if n.qualifier != "" {
		return nil, invalid("This operation is permitted only on Lambda functions and not on function versions or aliases.")
	}
	count, ok := q.body["ReservedConcurrentExecutions"].(float64)
	if !ok || count < 0 {
		return nil, fault("ValidationException", "1 validation error detected: Value at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 0")
	}
	q.st.save(n.function)
	f.reserved = count
	return object{"ReservedConcurrentExecutions": count}, nil
}

func (s *Server) getConcurrency(q *request) (any, *apiError) {
	_, f, err := s.function(q)
	if err != nil {
		return nil, err
	}
	if f.reserved == nil {
		return object{}, nil
	}
	return object{"ReservedConcurrentExecutions": f.reserved}, nil
}

func (s *Server) deleteConcurrency(q *request) (any, *apiError) {
	n, f, err := s.function(q)
	if err != nil {
		return nil, err
	}
	q.st.save(n.function)
	f.reserved = nil
	return nil, nil
}
